"""The parts that real containers are made of, and the families of containers built from them."""
