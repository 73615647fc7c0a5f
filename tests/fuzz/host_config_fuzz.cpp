// SPDX-License-Identifier: Apache-2.0
// xl.conf(5): whatever the text is, there is either a config or an error, and a mask that is
// applied leaves no vcpu without a CPU.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "libxl++/config/host_defaults.hpp"
#include "libxl++/config/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const xl::config::ParsedHostConfig parsed = xl::config::parse_host_config({"xl.conf", text});
  if (parsed.config.has_value() == xl::config::has_errors(parsed.diagnostics)) std::abort();
  static_cast<void>(xl::config::render(parsed.diagnostics));
  if (parsed.config) {
    nlohmann::ordered_json libxl =
        xl::config::to_libxl_json(xl::config::DomainConfig(), xl::config::Devices());
    xl::config::fill_in(*parsed.config, libxl);
    static_cast<void>(libxl.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  xl::config::DomainConfig domain;
  if (parsed.config && xl::config::restrict_cpus(*parsed.config, domain)) {
    for (const xl::config::CpuSet& set : domain.scheduling.cpus) {
      if (set.none()) std::abort();
    }
  }
  return 0;
}
