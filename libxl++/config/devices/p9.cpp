// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/p9.hpp"

#include <utility>

#include "libxl++/config/devices/keyed_spec.hpp"

namespace xl::config {
namespace {

constexpr Choice<std::string_view> security_models[] = {{"none", "none"}};

template <typename Device, std::string Device::*Member>
void read_text(const SpecItem& item, Device& device, SpecFindings& findings) {
  if (auto text = read_string(item, findings)) device.*Member = std::move(*text);
}

void read_security_model(const SpecItem& item, P9& p9, SpecFindings& findings) {
  if (const auto model = read_choice(*item.value, "a security_model", security_models, findings)) {
    p9.security_model = *model;
  }
}

constexpr SpecKey<P9> p9_keys[] = {{"tag", read_text<P9, &P9::tag>},
                                   {"path", read_text<P9, &P9::path>},
                                   {"security_model", read_security_model},
                                   {"backend", read_text<P9, &P9::backend>}};
constexpr SpecKey<Pvcalls> pvcalls_keys[] = {{"backend", read_text<Pvcalls, &Pvcalls::backend>}};

}  // namespace

ParsedSpec<P9> parse_p9(const std::string& spec) {
  SpecFindings findings;
  P9 p9;
  read_items(std::span(&spec, 1), "a p9 share", p9_keys, p9, findings);
  if (findings.has_errors()) return std::move(findings).finish(P9());
  const std::pair<const std::string&, const char*> needed[] = {
      {p9.tag, "tag"}, {p9.path, "path"}, {p9.security_model, "security_model"}};
  for (const auto& [value, key] : needed) {
    if (value.empty()) {
      findings.error({}, fmt::format("the p9 share has no {}", key),
                     "write tag=NAME,path=/DIRECTORY,security_model=none");
    }
  }
  return std::move(findings).finish(std::move(p9));
}

ParsedSpec<Pvcalls> parse_pvcalls(const std::string& spec) {
  SpecFindings findings;
  Pvcalls pvcalls;
  read_items(std::span(&spec, 1), "a pvcalls device", pvcalls_keys, pvcalls, findings);
  return std::move(findings).finish(std::move(pvcalls));
}

}  // namespace xl::config
