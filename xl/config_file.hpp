// SPDX-License-Identifier: Apache-2.0
// Config files as they are read before xld looks at them.
#pragma once

#include <string>

#include "base/error.hpp"

namespace xl::cli {

// At most one byte more than a config may have: xld then says that it is too large.
Result<std::string> read_config(const std::string& path);

}  // namespace xl::cli
