// (module Screens)
