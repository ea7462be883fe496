// (module Spool)
