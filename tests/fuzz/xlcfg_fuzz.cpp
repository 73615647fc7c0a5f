// SPDX-License-Identifier: Apache-2.0
// xl.cfg text and overrides, from one input: what stands behind the first 0x1e octet is overrides,
// parted by 0x1e. Beyond "no crash": an outcome is a config or errors, a config is valid and
// survives JSON, diagnostics are sorted, printable and fit for JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/devices/devices.hpp"
#include "libxl++/config/json.hpp"
#include "libxl++/config/parse.hpp"

namespace {

using namespace xl::config;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t mark = text.find('\x1e');
    parts.emplace_back(text.substr(0, mark));
    if (mark == std::string_view::npos) return parts;
    text.remove_prefix(mark + 1);
  }
}

void check_diagnostics(const Parsed& parsed) {
  require(parsed.diagnostics.size() <= max_diagnostics + 1);
  require(parsed.config.has_value() != has_errors(parsed.diagnostics));
  for (const Diagnostic& diagnostic : parsed.diagnostics) {
    const std::string text = render(diagnostic);
    require(find_invalid_utf8(text) == std::string_view::npos);
    for (const char c : text) require(!is_control(c) || c == '\n');
    const auto back = diagnostic_from_json(nlohmann::json::parse(to_json(diagnostic).dump()));
    require(back && *back == diagnostic);
  }
}

// Strict takes no more, a dry run no less; and what it takes has a form in libxl's JSON.
void check_options(const Parsed& parsed, const Source& file,
                   const std::vector<std::string>& parts) {
  const Parsed strict = parse_domain_config(file, parts, {.strict = true});
  check_diagnostics(strict);
  require(parsed.config || !strict.config);
  const Parsed dry = parse_domain_config(file, parts, {.dry_run = true});
  check_diagnostics(dry);
  require(dry.config || !parsed.config);
  require((dry.devices != nullptr) == dry.config.has_value());
  if (dry.config) (void)to_libxl_json(*dry.config, *dry.devices).dump();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> parts =
      split(std::string_view(reinterpret_cast<const char*>(data), size));
  const std::string file = std::move(parts.front());
  parts.erase(parts.begin());
  const Parsed parsed = parse_domain_config({"fuzz.cfg", file}, parts);
  check_diagnostics(parsed);
  check_options(parsed, {"fuzz.cfg", file}, parts);
  if (parsed.config) {
    require(validate(*parsed.config).has_value());
    const auto back =
        domain_config_from_json(nlohmann::json::parse(to_json(*parsed.config).dump()));
    require(back && *back == *parsed.config);
    (void)to_stored_libxl_json(*parsed.config).dump();
  }
  return 0;
}
