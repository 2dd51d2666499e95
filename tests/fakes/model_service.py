"""TF Serving's ModelService over real gRPC: a new config takes the place of the whole one, and loads before it answers.

As model_servers/server_core.cc has it: what the config leaves out is unloaded, what is new in it is waited for.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from leakwatch.serving_messages import message_class
from tests.fakes.model_server import ModelServer

METHOD = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"


class ModelService:
    """``requests`` are the bytes that came; ``answers`` are told instead of the truth, one a call, while there are any.

    An answer is a gRPC status with its text, or a number with its text for the status inside the reply, or ``hang``.
    """

    def __init__(self, server: ModelServer) -> None:
        self.server, self.requests = server, list[bytes]()
        self.answers: list[Any] = []
        self._ended = threading.Event()
        self._grpc = grpc.server(ThreadPoolExecutor(4))
        self._grpc.add_generic_rpc_handlers((self,))
        self.address = f"127.0.0.1:{self._grpc.add_insecure_port('127.0.0.1:0')}"
        self._grpc.start()

    def close(self) -> None:
        self._ended.set()
        self._grpc.stop(None).wait(10)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The bytes go through as they are; another method is unimplemented."""
        return grpc.unary_unary_rpc_method_handler(self._reload) if details.method == METHOD else None

    def _reload(self, content: bytes, context: grpc.ServicerContext) -> bytes:
        self.requests.append(content)
        reply = message_class("ReloadConfigResponse")()
        answer = self.answers.pop(0) if self.answers else None
        if answer == "hang":
            self._ended.wait(60)
        elif answer is not None and isinstance(answer[0], grpc.StatusCode):
            context.abort(*answer)
        elif answer is not None:
            reply.status.error_code, reply.status.error_message = answer
            return reply.SerializeToString()
        config = message_class("ReloadConfigRequest").FromString(content).config
        names = frozenset(one.name for one in config.model_config_list.config)
        leaving = set(self.server.states) - names
        if leaving:  # an unload is not waited for
            threading.Thread(target=self.server.serve, args=(names,), daemon=True).start()
        else:
            self.server.serve(names)
        return reply.SerializeToString()
