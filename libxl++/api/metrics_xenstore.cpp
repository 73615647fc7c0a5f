// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/metrics.hpp"
#include "libxl++/api/prometheus.hpp"
#include "libxl++/toolstack/toolstack.hpp"

namespace xl::api {

void write_xenstore(Prometheus& out, toolstack::Toolstack& toolstack) {
  out.gauge("xl_xenstore_nodes", "Nodes in the xenstore");
  out.sample({}, toolstack.store_nodes());
}

}  // namespace xl::api
