// (module SMTP)
