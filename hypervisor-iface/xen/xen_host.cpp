// SPDX-License-Identifier: Apache-2.0
// Opening it, and what concerns all of Xen.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/stand_in.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

namespace xl::hv::xen {
namespace {

constexpr std::size_t log_chunk = 16384;

// In the words of `xl info`.
std::string virt_caps(std::uint32_t capabilities) {
  constexpr std::pair<std::uint32_t, const char*> names[] = {
      {XEN_SYSCTL_PHYSCAP_pv, "pv"},
      {XEN_SYSCTL_PHYSCAP_hvm, "hvm"},
      {XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_directio, "hvm_directio"},
      {XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_directio, "pv_directio"},
      {XEN_SYSCTL_PHYSCAP_hap, "hap"},
      {XEN_SYSCTL_PHYSCAP_shadow, "shadow"},
      {XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share, "iommu_hap_pt_share"},
      {XEN_SYSCTL_PHYSCAP_vmtrace, "vmtrace"},
      {XEN_SYSCTL_PHYSCAP_vpmu, "vpmu"},
      {XEN_SYSCTL_PHYSCAP_gnttab_v1, "gnttab-v1"},
      {XEN_SYSCTL_PHYSCAP_gnttab_v2, "gnttab-v2"}};
  std::string text;
  for (const auto& [bits, name] : names) {
    if ((capabilities & bits) == bits) {
      text += text.empty() ? "" : " ";
      text += name;
    }
  }
  return text;
}

std::string hexadecimal_words(const std::uint32_t (&words)[8]) {
  std::string text;
  for (const std::uint32_t word : words) {
    char hex[10];
    std::snprintf(hex, sizeof hex, "%s%08x", text.empty() ? "" : ":", word);
    text += hex;
  }
  return text;
}

// Of the linker, in hexadecimal. Empty: Xen has none, or does not tell.
std::string build_id(const Handles& handles) {
  alignas(xen_build_id_t) std::array<std::byte, sizeof(xen_build_id_t) + 64> buffer{};
  const std::uint32_t room = 64;
  std::memcpy(buffer.data(), &room, sizeof room);
  const int size = xc_version(handles.xc(), XENVER_build_id, buffer.data());
  std::string text;
  for (int i = 0; i < std::min(size, static_cast<int>(room)); ++i) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x",
                  std::to_integer<unsigned>(
                      buffer[offsetof(xen_build_id_t, buf) + static_cast<std::size_t>(i)]));
    text += hex;
  }
  return text;
}

std::string scheduler_name(int id) {
  switch (id) {
    case XEN_SCHEDULER_CREDIT: return "credit";
    case XEN_SCHEDULER_CREDIT2: return "credit2";
    case XEN_SCHEDULER_ARINC653: return "arinc653";
    case XEN_SCHEDULER_RTDS: return "rtds";
    case XEN_SCHEDULER_NULL: return "null";
    default: return std::to_string(id);
  }
}

}  // namespace

std::string name_of(DomId domain) {
  return "domain " + std::to_string(domain.value());
}

Result<XenHypervisor::Host> XenHypervisor::read_host(const Handles& handles) {
  const Listening listening;
  Host host;
  xen_extraversion_t extra{};
  xen_capabilities_info_t capabilities{};
  xen_commandline_t command_line{};
  xen_compile_info_t compiled{};
  xc_physinfo_t physical{};
  const int version = xc_version(handles.xc(), XENVER_version, nullptr);
  if (version < 0 || xc_version(handles.xc(), XENVER_extraversion, &extra) < 0 ||
      xc_version(handles.xc(), XENVER_capabilities, &capabilities) < 0 ||
      xc_version(handles.xc(), XENVER_commandline, &command_line) < 0 ||
      xc_version(handles.xc(), XENVER_compile_info, &compiled) < 0 ||
      xc_physinfo(handles.xc(), &physical) != 0 ||
      xc_sched_id(handles.xc(), &host.scheduler) != 0) {
    return listening.failure("telling what it is");
  }
  host.capabilities = physical.capabilities;
  host.info.hypervisor = "xen";
  host.info.version =
      std::to_string(version >> 16) + "." + std::to_string(version & 0xffff) + std::string(extra);
  host.info.capabilities = capabilities;
  while (!host.info.capabilities.empty() && host.info.capabilities.back() == ' ') {
    host.info.capabilities.pop_back();
  }
  host.info.virt_caps = virt_caps(physical.capabilities);
  host.info.hw_caps = hexadecimal_words(physical.hw_cap);
  host.info.compiler = compiled.compiler;
  host.info.compile_by = compiled.compile_by;
  host.info.compile_domain = compiled.compile_domain;
  host.info.compile_date = compiled.compile_date;
  host.info.build_id = build_id(handles);
  host.info.command_line = command_line;
  host.info.scheduler = scheduler_name(host.scheduler);
  host.info.machine =
      "xen " + host.info.version + ", " + std::to_string(physical.nr_cpus) + " cpus";
  host.info.cpus = physical.nr_cpus;
  host.info.cpu_khz = physical.cpu_khz;
  return host;
}

Result<std::unique_ptr<Hypervisor>> XenHypervisor::open() {
  XL_TRY_ASSIGN(std::shared_ptr<Handles> handles, Handles::open());
  XL_TRY_ASSIGN(Host host, read_host(*handles));
  remove_stand_ins(*handles);
  XL_TRY_ASSIGN(Changes changes, Changes::watch(handles, xenevtchn_fd(handles->events())));
  return std::unique_ptr<Hypervisor>(
      new XenHypervisor(std::move(handles), std::move(host), std::move(changes)));
}

XenHypervisor::XenHypervisor(std::shared_ptr<Handles> handles, Host host, Changes changes)
    : handles_(std::move(handles)),
      host_(std::move(host)),
      channels_(handles_),
      changes_(std::move(changes)) {}

Result<HostInfo> XenHypervisor::host_info() {
  const Listening listening;
  xc_physinfo_t physical{};
  if (xc_physinfo(xc(), &physical) != 0) {
    return listening.failure("telling how much memory is free");
  }
  HostInfo info = host_.info;
  info.cpus = physical.nr_cpus;
  info.total_memory = Pages(physical.total_pages);
  // What another toolstack has claimed for a domain that it builds is not free.
  info.free_memory = Pages(physical.free_pages - physical.outstanding_pages);
  info.scrub_pending = std::min(Pages(physical.scrub_pages), info.free_memory);
  return info;
}

Result<Hypervisor::LogText> XenHypervisor::read_log(std::uint64_t from) {
  const Listening listening;
  LogText log;
  // Xen counts in 32 bits.
  auto index = static_cast<std::uint32_t>(from);
  std::array<char, log_chunk> buffer{};
  for (;;) {
    auto size = static_cast<unsigned>(buffer.size());
    if (xc_readconsolering(xc(), buffer.data(), &size, 0, 1, &index) != 0) {
      return listening.failure("reading its log");
    }
    if (size == 0) {
      break;
    }
    log.text.append(buffer.data(), size);
  }
  log.next = (from & ~std::uint64_t{0xffffffff}) | index;
  if (log.next < from) {
    log.next += std::uint64_t{1} << 32;
  }
  return log;
}

Result<void> XenHypervisor::ping() {
  const Listening listening;
  return xc_version(xc(), XENVER_version, nullptr) >= 0 ? Result<void>()
                                                        : listening.failure("answering");
}

Result<void> XenHypervisor::power_off() {
  return fail(ErrorCode::not_supported, "Xen is the host's, and ends with it");
}

// Debian's Xen counts nothing (it is built without CONFIG_PERF_COUNTERS); cpu time is in the
// domain's and the vcpus' information.
Result<std::vector<NamedCounter>> XenHypervisor::counters(std::optional<DomId> domain) {
  if (domain) {
    XL_TRY(raw_info(*domain));
  }
  return std::vector<NamedCounter>();
}

}  // namespace xl::hv::xen
