// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/handlers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.hpp"
#include "libxl++/config/characters.hpp"
#include "libxl++/config/rules.hpp"
#include "libxl++/config/values.hpp"

namespace xl::config {
namespace {

constexpr Range memory_range{min_memory.count() >> 20, max_memory_limit.count() >> 20, " MiB"};
constexpr Range vcpu_range{1, max_vcpu_count};

using SitedText = std::optional<Sited<std::string>>;

void set_text(const Assignment& assignment, Draft& draft, SitedText& target) {
  if (std::optional<std::string> text = read_text(assignment, draft.findings)) {
    target = {std::move(*text), assignment.value.span};
  }
}

using Judge = Verdict (*)(std::string_view);

void set_judged(const Assignment& assignment, Draft& draft, Judge judge, std::string& target) {
  std::optional<std::string> text = read_text(assignment, draft.findings);
  if (!text) return;
  if (const Verdict verdict = judge(*text)) {
    draft.findings.error(assignment.value.span,
                         fmt::format("'{}': {}", assignment.key, verdict->message), verdict->hint);
    return;
  }
  target = std::move(*text);
}

void set_mebibytes(const Assignment& assignment, Draft& draft,
                   std::optional<Sited<Bytes>>& target) {
  if (const auto number = read_number(assignment, memory_range, draft.findings)) {
    target = {mib(*number), assignment.value.span};
  }
}

void set_vcpu_count(const Assignment& assignment, Draft& draft,
                    std::optional<Sited<std::uint32_t>>& target) {
  if (const auto number = read_number(assignment, vcpu_range, draft.findings)) {
    target = {static_cast<std::uint32_t>(*number), assignment.value.span};
  }
}

void set_action(const Assignment& assignment, Draft& draft, ShutdownAction& target) {
  const std::optional<std::string> text = read_text(assignment, draft.findings);
  if (!text) return;
  if (const auto action = parse_shutdown_action(*text)) {
    target = *action;
    return;
  }
  draft.findings.error(
      assignment.value.span,
      fmt::format("'{}': '{}' is not an action", assignment.key, printable(*text)),
      "write destroy, restart, rename-restart, preserve, coredump-destroy, coredump-restart or "
      "soft-reset");
}

}  // namespace

void set_name(const Assignment& assignment, Draft& draft) {
  set_judged(assignment, draft, judge_name, draft.config.name);
}

void set_uuid(const Assignment& assignment, Draft& draft) {
  const std::optional<std::string> text = read_text(assignment, draft.findings);
  if (!text) return;
  const Result<Uuid> uuid = Uuid::parse(*text);
  if (!uuid) {
    draft.findings.error(assignment.value.span, fmt::format("'uuid': {}", uuid.error().message),
                         uuid.error().hint);
  } else if (uuid->is_nil()) {
    draft.findings.error(assignment.value.span, "'uuid': the nil UUID is the host's domain",
                         "remove uuid to have a random one drawn");
  } else {
    draft.config.uuid = *uuid;
  }
}

void set_type(const Assignment& assignment, Draft& draft) {
  set_text(assignment, draft, draft.type);
}

void set_builder(const Assignment& assignment, Draft& draft) {
  set_text(assignment, draft, draft.builder);
}

void set_pvh(const Assignment& assignment, Draft& draft) {
  if (const auto pvh = read_boolean(assignment, draft.findings)) {
    draft.pvh = {*pvh, assignment.value.span};
  }
}

void set_kernel(const Assignment& assignment, Draft& draft) {
  set_judged(assignment, draft, judge_kernel, draft.config.kernel);
}

void set_ramdisk(const Assignment& assignment, Draft& draft) {
  set_judged(assignment, draft, judge_ramdisk, draft.config.ramdisk);
}

void set_cmdline(const Assignment& assignment, Draft& draft) {
  set_text(assignment, draft, draft.cmdline);
}

void set_root(const Assignment& assignment, Draft& draft) {
  set_text(assignment, draft, draft.root);
}

void set_extra(const Assignment& assignment, Draft& draft) {
  set_text(assignment, draft, draft.extra);
}

void set_memory(const Assignment& assignment, Draft& draft) {
  set_mebibytes(assignment, draft, draft.memory);
}

void set_maxmem(const Assignment& assignment, Draft& draft) {
  set_mebibytes(assignment, draft, draft.max_memory);
}

void set_vcpus(const Assignment& assignment, Draft& draft) {
  set_vcpu_count(assignment, draft, draft.vcpus);
}

void set_maxvcpus(const Assignment& assignment, Draft& draft) {
  set_vcpu_count(assignment, draft, draft.max_vcpus);
}

void set_acpi(const Assignment& assignment, Draft& draft) {
  if (const auto acpi = read_boolean(assignment, draft.findings)) {
    draft.devices.said.acpi = true;
    draft.config.acpi = *acpi;
  }
}

void set_hap(const Assignment& assignment, Draft& draft) {
  const auto hap = read_boolean(assignment, draft.findings);
  draft.devices.said.hap = hap.value_or(false);
  if (hap && !*hap) {
    draft.findings.error(Rule::unsupported, assignment.value.span,
                         "hap=0 is not supported: a PVH domain needs hardware paging",
                         "remove hap=0");
  }
}

void check_usbdevice(const Assignment& assignment, Draft& draft) {
  const Value& value = assignment.value;
  const bool list = value.kind == Value::Kind::list;
  for (const Value& item : list ? std::span(value.items) : std::span(&value, 1)) {
    if (item.text.starts_with("host:")) {
      draft.findings.error(Rule::unsupported, item.span,
                           "'usbdevice': a USB device of the host cannot be given to a domain",
                           "remove it; the devices that are emulated do no harm");
    }
  }
}

void set_on_poweroff(const Assignment& assignment, Draft& draft) {
  set_action(assignment, draft, draft.config.on_poweroff);
}

void set_on_reboot(const Assignment& assignment, Draft& draft) {
  set_action(assignment, draft, draft.config.on_reboot);
}

void set_on_watchdog(const Assignment& assignment, Draft& draft) {
  set_action(assignment, draft, draft.config.on_watchdog);
}

void set_on_crash(const Assignment& assignment, Draft& draft) {
  set_action(assignment, draft, draft.config.on_crash);
}

void set_on_soft_reset(const Assignment& assignment, Draft& draft) {
  set_action(assignment, draft, draft.config.on_soft_reset);
}

}  // namespace xl::config
