// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/vtpm.hpp"

#include "libxl++/config/devices/keyed_spec.hpp"

namespace xl::config {
namespace {

void read_backend(const SpecItem& item, Vtpm& vtpm, SpecFindings& findings) {
  if (auto backend = read_string(item, findings)) vtpm.backend = std::move(*backend);
}

void read_uuid(const SpecItem& item, Vtpm& vtpm, SpecFindings& findings) {
  const Result<Uuid> uuid = Uuid::parse(item.value->text);
  if (uuid) {
    vtpm.uuid = *uuid;
  } else {
    findings.error(item.value->place, uuid.error().message, uuid.error().hint);
  }
}

constexpr SpecKey<Vtpm> vtpm_keys[] = {{"backend", read_backend}, {"uuid", read_uuid}};

}  // namespace

ParsedSpec<Vtpm> parse_vtpm(const std::string& spec) {
  SpecFindings findings;
  Vtpm vtpm;
  read_items(std::span(&spec, 1), "a vtpm", vtpm_keys, vtpm, findings);
  if (!findings.has_errors() && vtpm.backend.empty()) {
    findings.error({}, "the vtpm has no backend", "name the vTPM domain: backend=DOMAIN");
  }
  return std::move(findings).finish(std::move(vtpm));
}

}  // namespace xl::config
