// (module Delivery)
