// SPDX-License-Identifier: Apache-2.0
// An event as a line for a person. Pure, but for the local time zone.
#pragma once

#include <string>

#include "libxl++/api/wire.hpp"

namespace xl::cli {

// "2026-11-22 16:02:03.123  shutdown      3  guest  reason=reboot action=restart"
std::string event_line(const api::EventView& event);

}  // namespace xl::cli
