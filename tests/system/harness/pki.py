"""Keys and certificates for TLS, made with openssl."""

import subprocess


class Pki:
    """Authorities and what they certified, as files in FOLDER."""

    def __init__(self, folder):
        self.folder = folder

    def ca(self, authority):
        return str(self.folder / f"ca-{authority}.pem")

    def key(self, authority, name):
        return str(self.folder / f"{name}-{authority}.key")

    def certificate(self, authority, name):
        return str(self.folder / f"{name}-{authority}.pem")

    def authority(self, authority):
        """Makes a self-signed authority."""
        self._openssl("req", "-x509", *self._new_key(f"ca-{authority}.key"), "-days", "30",
                      "-subj", f"/O=test/CN=authority {authority}", "-out", self.ca(authority))

    def certify(self, authority, name, days=30):
        """Makes a key, and a certificate of AUTHORITY for the common name NAME that runs out in so many DAYS."""
        request = str(self.folder / f"{name}-{authority}.csr")
        self._openssl("req", *self._new_key(f"{name}-{authority}.key"), "-subj", f"/O=test/CN={name}",
                      "-out", request)
        self._openssl("x509", "-req", "-in", request, "-days", str(days), "-CA", self.ca(authority),
                      "-CAkey", str(self.folder / f"ca-{authority}.key"), "-CAcreateserial",
                      "-out", self.certificate(authority, name))

    def _new_key(self, file):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(self.folder / file)]

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)
