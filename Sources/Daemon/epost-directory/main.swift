import CLinux
import Glibc

// The accounts of the system (NSS and PAM) and of LDAP directories, for the services of epostd: outside of them,
// because modules of PAM and NSS block, and crash, and may need privileges that a mail server should not have.
exit(Helper.run(Array(CommandLine.arguments.dropFirst())))
