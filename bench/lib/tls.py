"""One CA and a certificate for each end, in the names every tool wants.

nbdkit, libnbd and QEMU read ca-cert.pem, server-*.pem and client-*.pem from
one directory; the others take the same files as options.
"""

import os
import subprocess

SERVER_NAME = "localhost"
CLIENT_NAME = "bench-source"

_EXTENSIONS = """\
basicConstraints = critical, CA:FALSE
keyUsage = digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = {names}
"""


class Tls:
    """Paths of the files, made again in directory."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.ca = self._path("ca-cert.pem")
        self.server_cert = self._path("server-cert.pem")
        self.server_key = self._path("server-key.pem")
        self.client_cert = self._path("client-cert.pem")
        self.client_key = self._path("client-key.pem")
        self._make_ca()
        self._make_end("server", SERVER_NAME,
                       "DNS:localhost, IP:127.0.0.1, IP:::1")
        self._make_end("client", CLIENT_NAME, f"DNS:{CLIENT_NAME}")

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _make_ca(self):
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                      "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                      "-subj", "/CN=bench CA", "-addext",
                      "keyUsage=critical,keyCertSign,cRLSign",
                      "-keyout", self._path("ca-key.pem"), "-out", self.ca)

    def _make_end(self, end, name, alternatives):
        request = self._path(f"{end}.csr")
        extensions = self._path(f"{end}.ext")
        with open(extensions, "w", encoding="ascii") as file:
            file.write(_EXTENSIONS.format(names=alternatives))
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
                      "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", f"/CN={name}",
                      "-keyout", self._path(f"{end}-key.pem"),
                      "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca,
                      "-CAkey", self._path("ca-key.pem"), "-days", "30",
                      "-CAcreateserial", "-extfile", extensions,
                      "-out", self._path(f"{end}-cert.pem"))

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")
