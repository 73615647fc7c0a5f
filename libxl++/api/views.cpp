// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/views.hpp"

#include <cpuid.h>
#include <sys/utsname.h>

#include <array>
#include <cstdio>

#include "libxl++/config/uuid.hpp"

namespace xl::api {
namespace {

std::uint64_t to_kib(Pages pages) {
  return to_bytes(pages).count() >> 10;
}

std::optional<std::string> reason_name(const std::optional<hv::ShutdownReason>& reason) {
  if (!reason) {
    return std::nullopt;
  }
  return shutdown_names[static_cast<std::size_t>(*reason)];
}

struct CpuidWords {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidWords cpuid(unsigned leaf, unsigned subleaf = 0) {
  CpuidWords words;
  __get_cpuid_count(leaf, subleaf, &words.eax, &words.ebx, &words.ecx, &words.edx);
  return words;
}

// The first eight words of Xen's feature set (public/arch-x86/cpufeatureset.h), as xl info prints.
std::string hardware_capabilities() {
  const CpuidWords basic = cpuid(1);
  const CpuidWords extended = cpuid(0x80000001);
  const CpuidWords features = cpuid(7);
  const std::array<unsigned, 8> words = {
      basic.edx,         basic.ecx,    extended.edx, extended.ecx,
      cpuid(0xd, 1).eax, features.ebx, features.ecx, cpuid(0x80000007).edx};
  std::string text;
  for (const unsigned word : words) {
    char hex[10];
    std::snprintf(hex, sizeof hex, "%s%08x", text.empty() ? "" : ":", word);
    text += hex;
  }
  return text;
}

}  // namespace

const char* event_name(toolstack::LifecycleEvent::Kind kind) {
  using Kind = toolstack::LifecycleEvent::Kind;
  switch (kind) {
    case Kind::created: return "created";
    case Kind::unpaused: return "unpaused";
    case Kind::paused: return "paused";
    case Kind::shutdown: return "shutdown";
    case Kind::ended: return "ended";
    case Kind::renamed: return "renamed";
    case Kind::booted: return "booted";
    case Kind::adopted: return "adopted";
    case Kind::vcpus: return "vcpus";
    case Kind::memory: return "memory";
    case Kind::trigger: return "trigger";
    case Kind::watchdog: return "watchdog";
    case Kind::quota: return "quota";
    case Kind::coredump: return "coredump";
    case Kind::restarted: return "restarted";
    case Kind::resumed: return "resumed";
  }
  return "unknown";
}

DomainView domain_view(const toolstack::DomainSummary& domain) {
  const hv::DomainInfo& info = domain.info;
  DomainView view;
  view.domid = info.id.value();
  view.name = domain.name;
  view.uuid = config::to_string(config::Uuid(info.handle));
  view.running = info.running;
  view.blocked = info.blocked;
  view.paused = info.paused;
  view.dying = info.dying;
  view.shutdown_reason = reason_name(info.shutdown);
  view.memory_kib = to_kib(info.memory);
  view.max_memory_kib = to_kib(info.max_memory);
  view.cpu_time_ns = info.cpu_time.count();
  view.vcpus_online = info.vcpus_online;
  view.max_vcpus = info.max_vcpus;
  view.overhead_bytes = info.overhead_bytes;
  view.created_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(domain.created.time_since_epoch())
          .count();
  view.booted = domain.booted;
  return view;
}

CreatedView created_view(const toolstack::CreatedDomain& domain) {
  CreatedView view;
  view.domid = domain.id.value();
  view.name = domain.name;
  for (const toolstack::PhaseTime& phase : domain.phases) {
    view.phases.push_back(
        {phase.phase, static_cast<std::uint64_t>(phase.time.count()), phase.note});
  }
  view.warnings = domain.warnings;
  return view;
}

EventView event_view(const toolstack::LifecycleEvent& event) {
  EventView view;
  view.sequence = event.sequence;
  view.time_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(event.time.time_since_epoch()).count();
  view.event = event_name(event.kind);
  view.domid = event.id.value();
  view.name = event.name;
  for (const toolstack::EventDetail& detail : event.details) {
    view.details.push_back({detail.key, detail.value});
  }
  if (event.end) {
    EndView& end = view.end.emplace();
    end.reason = reason_name(event.end->reason);
    end.last_console_line = event.end->last_console_line;
    end.report = event.end->report;
    end.action = event.end->action;
    end.cause = event.end->cause;
    if (event.end->successor) {
      end.successor = event.end->successor->value();
    }
  }
  return view;
}

HostView host_view(const hv::HostInfo& info) {
  HostView view;
  view.hypervisor = info.hypervisor;
  view.hypervisor_version = info.version;
  view.capabilities = info.capabilities;
  view.virt_caps = info.virt_caps;
  view.command_line = info.command_line;
  view.scheduler = info.scheduler;
  view.hypervisor_machine = info.machine;
  utsname host{};
  if (::uname(&host) == 0) {
    view.node = host.nodename;
    view.os_release = host.release;
    view.os_version = host.version;
    view.arch = host.machine;
  }
  view.hw_caps = info.hw_caps.empty() ? hardware_capabilities() : info.hw_caps;
  view.compiler = info.compiler.empty() ? __VERSION__ : info.compiler;
  view.compile_by = info.compile_by;
  view.compile_domain = info.compile_domain;
  view.compile_date = info.compile_date;
  view.build_id = info.build_id;
  view.cpus = info.cpus;
  view.cpu_khz = info.cpu_khz;
  view.total_memory_kib = to_kib(info.total_memory);
  view.free_memory_kib = to_kib(info.free_memory);
  view.scrub_pending_kib = to_kib(info.scrub_pending);
  view.overhead_kib = to_kib(Pages(info.hypervisor_overhead_pages));
  return view;
}

}  // namespace xl::api
