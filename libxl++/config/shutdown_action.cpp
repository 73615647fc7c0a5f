// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/domain_config.hpp"

namespace xl::config {

std::string_view to_string(ShutdownAction action) {
  switch (action) {
    case ShutdownAction::destroy: return "destroy";
    case ShutdownAction::preserve: return "preserve";
    case ShutdownAction::restart: return "restart";
    case ShutdownAction::restart_rename: return "rename-restart";
    case ShutdownAction::coredump_destroy: return "coredump-destroy";
    case ShutdownAction::coredump_restart: return "coredump-restart";
    case ShutdownAction::soft_reset: return "soft-reset";
  }
  return "destroy";
}

std::optional<ShutdownAction> parse_shutdown_action(std::string_view text) {
  for (const ShutdownAction action : all_shutdown_actions) {
    if (text == to_string(action)) return action;
  }
  return std::nullopt;
}

}  // namespace xl::config
