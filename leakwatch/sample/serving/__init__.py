"""Model servers' own pages: TensorFlow Serving, Triton, TorchServe, and any page of the Prometheus clients.

Each file turns one kind of page into a `reading.Reading`; `source.ServingSource` fetches the page and makes a sample of
it. Memory of a container never comes from these pages: none of them tells it. Memory of GPUs may.
"""
