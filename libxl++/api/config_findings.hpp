// SPDX-License-Identifier: Apache-2.0
// A refused config as an error on the wire.
#pragma once

#include <vector>

#include "libxl++/api/wire.hpp"
#include "libxl++/config/diagnostic.hpp"

namespace xl::api {

// The first error says it in one line; all findings go along.
WireError refusal(const std::vector<config::Diagnostic>& findings);

}  // namespace xl::api
