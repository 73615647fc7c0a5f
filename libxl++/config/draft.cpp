// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/draft.hpp"

#include <fmt/format.h>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/rules.hpp"

namespace xl::config {
namespace {

constexpr const char* pv_reason = "asks for a PV domain, which is not supported";
constexpr const char* pv_cure =
    "write type=\"pvh\", with a kernel that has a PVH entry (Linux: CONFIG_PVH=y)";
constexpr const char* hvm_reason =
    "asks for an HVM domain, which is not supported: it needs a device model";
constexpr const char* hvm_cure =
    "write type=\"pvh\" and boot the guest's kernel directly (kernel=, ramdisk=, cmdline=)";

void finish_builder(Draft& draft) {
  const Sited<std::string>& builder = *draft.builder;
  const bool pvh = draft.pvh && draft.pvh->value;
  if (builder.value == "hvm") {
    draft.findings.error(Rule::unsupported, builder.span,
                         fmt::format("builder=\"hvm\" {}", hvm_reason), hvm_cure);
  } else if (builder.value != "generic") {
    draft.findings.error(builder.span,
                         fmt::format("'{}' is not a builder", printable(builder.value)),
                         "remove it, and write type=\"pvh\"");
  } else if (!pvh) {  // with pvh=1 this is the way in which Xen 4.4 to 4.9 wrote a PVH domain
    draft.findings.error(Rule::unsupported, builder.span,
                         fmt::format("builder=\"generic\" {}", pv_reason), pv_cure);
  }
}

void finish_type(Draft& draft) {
  Findings& findings = draft.findings;
  if (draft.type) {
    const Sited<std::string>& type = *draft.type;
    if (type.value == "pv") {
      findings.error(Rule::unsupported, type.span, fmt::format("type=\"pv\" {}", pv_reason),
                     pv_cure);
    } else if (type.value == "hvm") {
      findings.error(Rule::unsupported, type.span, fmt::format("type=\"hvm\" {}", hvm_reason),
                     hvm_cure);
    } else if (type.value != "pvh") {
      findings.error(type.span, fmt::format("'{}' is not a domain type", printable(type.value)),
                     "write type=\"pvh\"");
    } else if (draft.pvh && !draft.pvh->value) {
      findings.error(Rule::contradiction, draft.pvh->span, "pvh=0 contradicts type=\"pvh\"",
                     "remove pvh=0");
    } else if (draft.builder) {
      findings.error(Rule::contradiction, draft.builder->span, "builder contradicts type=\"pvh\"",
                     "remove builder");
    }
  } else if (draft.builder) {
    finish_builder(draft);
  } else if (draft.pvh && !draft.pvh->value) {
    findings.error(Rule::unsupported, draft.pvh->span, fmt::format("pvh=0 {}", pv_reason), pv_cure);
  }
}

void warn_ignored(Draft& draft, const char* key, const std::optional<Sited<std::string>>& value) {
  if (value) {
    draft.findings.warning(Rule::contradiction, value->span,
                           fmt::format("'{}' is ignored: 'cmdline' is set too", key),
                           "keep one of the two");
  }
}

void finish_command_line(Draft& draft) {
  std::string& line = draft.config.command_line;
  Span span{};
  if (draft.cmdline) {
    line = draft.cmdline->value;
    span = draft.cmdline->span;
    warn_ignored(draft, "root", draft.root);
    warn_ignored(draft, "extra", draft.extra);
  } else {
    if (draft.root && !draft.root->value.empty()) {
      line = "root=" + draft.root->value;
      span = draft.root->span;
    }
    if (draft.extra && !draft.extra->value.empty()) {
      line += (line.empty() ? "" : " ") + draft.extra->value;
      span = draft.extra->span;
    }
  }
  if (const Verdict verdict = judge_command_line(line)) {
    draft.findings.error(span, "the kernel command line " + verdict->message, verdict->hint);
  }
}

void finish_memory(Draft& draft) {
  DomainConfig& config = draft.config;
  if (draft.memory) {
    config.memory = draft.memory->value;
    config.max_memory = draft.max_memory ? draft.max_memory->value : config.memory;
  } else if (draft.max_memory) {
    config.memory = config.max_memory = draft.max_memory->value;
  }
  if (config.max_memory < config.memory) {
    draft.findings.error(Rule::contradiction, draft.max_memory->span,
                         fmt::format("maxmem={} is less than memory={}",
                                     config.max_memory.count() >> 20, config.memory.count() >> 20),
                         "raise maxmem, or remove it: then it is as memory");
  }
}

void finish_vcpus(Draft& draft) {
  DomainConfig& config = draft.config;
  if (draft.vcpus) config.vcpus = draft.vcpus->value;
  config.max_vcpus = draft.max_vcpus ? draft.max_vcpus->value : config.vcpus;
  if (config.max_vcpus < config.vcpus) {
    draft.findings.error(
        Rule::contradiction, draft.max_vcpus->span,
        fmt::format("maxvcpus={} is less than vcpus={}", config.max_vcpus, config.vcpus),
        "raise maxvcpus, or remove it: then it is as vcpus");
  }
}

}  // namespace

void finish(Draft& draft) {
  finish_type(draft);
  finish_command_line(draft);
  finish_memory(draft);
  finish_vcpus(draft);
  finish_scheduling(draft);
  finish_devices(draft);
}

}  // namespace xl::config
