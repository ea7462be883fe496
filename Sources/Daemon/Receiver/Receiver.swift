// (module Receiver)
