"""Debian's slapd on loopback, with entries as Active Directory has them."""
import base64
import hashlib
import os
import pathlib
import re
import signal
import socket
import subprocess

from .ports import free_ports
from .waiting import until

BASE = "dc=in,dc=example"
SEARCHER = f"cn=search,{BASE}"
SEARCH_PASSWORD = "Search-1"

SCHEMA = """
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL
  MAY ( sAMAccountName $ proxyAddresses $ userAccountControl ) )
"""


def entry(name, *lines, dn=None):
    return "\n".join([f"dn: {dn or f'cn={name},ou=people,{BASE}'}", *lines]) + "\n"


def hashed(password):
    salt = b"salt"
    return "{SSHA}" + base64.b64encode(hashlib.sha1(password.encode() + salt).digest() + salt).decode()


def user(name, password="Secret-1", control=512, full=None, addresses=()):
    return entry(
        name, "objectClass: user", f"cn: {name}", f"sn: {name}", f"sAMAccountName: {name}",
        f"displayName: {full or name}", f"userAccountControl: {control}", f"userPassword: {hashed(password)}",
        *(f"proxyAddresses: smtp:{address}" for address in addresses))


def group(name, members):
    return entry(
        name, "objectClass: groupOfNames", f"cn: {name}",
        *(f"member: cn={member},ou=people,{BASE}" for member in members), dn=f"cn={name},{BASE}")


class Slapd:
    def __init__(self, folder, entries, certificate):
        self.folder = pathlib.Path(folder)
        self.port, self.tls_port = free_ports(2)
        data = self.folder / "data"
        data.mkdir(parents=True)
        (self.folder / "ad.schema").write_text(SCHEMA)
        self.certificate = certificate
        (self.folder / "slapd.conf").write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {self.folder}/ad.schema
pidfile {self.folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {certificate}/cert.pem
TLSCertificateKeyFile {certificate}/key.pem
database mdb
suffix "{BASE}"
directory {data}
maxsize 16777216
rootdn "cn=root,{BASE}"
access to attrs=userPassword by anonymous auth by * none
access to * by dn="{SEARCHER}" read by * none
""")
        head = [
            entry("", "objectClass: dcObject", "objectClass: organization", "dc: in", "o: in", dn=BASE),
            entry("", "objectClass: organizationalUnit", "ou: people", dn=f"ou=people,{BASE}"),
            entry("search", "objectClass: person", "cn: search", "sn: search",
                  f"userPassword: {hashed(SEARCH_PASSWORD)}", dn=SEARCHER)]
        ldif = "\n".join(head + list(entries))
        subprocess.run(["/usr/sbin/slapadd", "-q", "-f", self.folder / "slapd.conf"], input=ldif, text=True,
                       check=True, capture_output=True)
        self.process = None

    @property
    def url(self):
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.folder / "log"

    def operations(self):
        """What was asked since the start: `SRCH`, `BIND` and the like, in order."""
        return re.findall(r" op=\d+ (SRCH base|BIND dn)", self.log.read_text())

    def start(self, level="0"):
        self.process = subprocess.Popen(
            ["/usr/sbin/slapd", "-f", self.folder / "slapd.conf", "-d", level, "-h",
             f"{self.url} ldaps://127.0.0.1:{self.tls_port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, "wb"))

        def listens():
            assert self.process.poll() is None, "slapd has ended"
            try:
                socket.create_connection(("127.0.0.1", self.port), 2).close()
                return True
            except OSError:
                return False
        until(listens, "slapd listens")
        return self

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def password_file(self, root):
        path = pathlib.Path(root) / "conf" / "ldap.password"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(descriptor, (SEARCH_PASSWORD + "\n").encode())
        os.close(descriptor)
        return path
