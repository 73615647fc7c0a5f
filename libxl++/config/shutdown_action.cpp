// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/domain_config.hpp"

namespace xl::config {

std::string_view to_string(ShutdownAction action) {
  switch (action) {
    case ShutdownAction::destroy: return "destroy";
    case ShutdownAction::preserve: return "preserve";
    case ShutdownAction::restart: return "restart";
  }
  return "destroy";
}

std::optional<ShutdownAction> parse_shutdown_action(std::string_view text) {
  for (const auto action :
       {ShutdownAction::destroy, ShutdownAction::preserve, ShutdownAction::restart}) {
    if (text == to_string(action)) return action;
  }
  return std::nullopt;
}

}  // namespace xl::config
