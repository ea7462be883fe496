// (module Crypto)
