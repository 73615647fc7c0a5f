// SPDX-License-Identifier: Apache-2.0
// Parts of GET /v1/metrics that stand in files of their own.
#pragma once

#include <cstdint>

namespace xl::toolstack {
class Toolstack;
}

namespace xl::api {

class Prometheus;

// This process: the names that Prometheus' client libraries use.
void write_process(Prometheus& out, std::int64_t started_ms);
void write_xenstore(Prometheus& out, toolstack::Toolstack& toolstack);

}  // namespace xl::api
