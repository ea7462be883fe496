// (module Mailbox)
