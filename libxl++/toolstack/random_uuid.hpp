// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "libxl++/config/uuid.hpp"

namespace xl::toolstack {

// Drawn from the kernel. Any thread.
Result<config::Uuid> random_uuid();

}  // namespace xl::toolstack
