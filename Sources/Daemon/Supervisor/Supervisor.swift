// (module Supervisor)
