// SPDX-License-Identifier: Apache-2.0
// The waist's host and domain operations.
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "hypervisor-iface/bundled/parts.hpp"
#include "hypervisor-iface/bundled/start.hpp"
#include "hypervisor/abi/xen_version.hpp"

namespace xl::hv::bundled {
namespace {

// The second number in proc(5)'s statm, which are pages. 0 if the process has gone.
std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Result<HostInfo> BundledHypervisor::host_info() {
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::host_info, DomId(0)));
  std::call_once(parts_->version_once,
                 [&] { parts_->qemu_version = qemu_version(parts_->machine.qemu); });
  const abi::Header header = parts_->area.header();
  HostInfo info;
  info.hypervisor = "bundled";
  info.scheduler = info.hypervisor;
  info.version = fmt::format("{}.{}{}", abi::xen_major, abi::xen_minor, abi::xen_extra);
  info.capabilities = "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64";
  info.virt_caps = "hvm hap";
  info.machine = fmt::format("qemu {} tcg, {} cpus", parts_->qemu_version, header.cpus);
  info.cpus = header.cpus;
  info.cpu_khz = header.tsc_khz;
  info.total_memory = Pages(header.total_pages);
  info.free_memory = Pages(response.results[0]);
  info.scrub_pending = Pages(response.results[1]);
  info.hypervisor_overhead_pages = response.results[2];
  info.resident_bytes = resident_bytes(parts_->process.pid());
  return info;
}

Result<Hypervisor::LogText> BundledHypervisor::read_log(std::uint64_t from) {
  return log_text(parts_->area, from);  // also of a hypervisor that has died: then it matters most
}

Result<void> BundledHypervisor::ping() {
  return parts_->tell(abi::Op::ping, DomId(0));
}

Result<void> BundledHypervisor::power_off() {
  terminate();
  return {};
}

Result<DomId> BundledHypervisor::create_domain(const DomainOptions& options) {
  std::uint64_t handle[2];
  static_assert(sizeof(handle) == sizeof(options.handle));
  std::memcpy(handle, options.handle.data(), sizeof(handle));
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::create_domain, DomId(0),
                                                     {options.max_vcpus, options.max_memory.count(),
                                                      0, handle[0], handle[1]}));
  if (response.results[0] == 0 || response.results[0] > 0xffff) {
    return fail(ErrorId::hypervisor_bad_answer,
                fmt::format("the hypervisor made a domain {}", response.results[0]));
  }
  return DomId(static_cast<std::uint16_t>(response.results[0]));
}

Result<void> BundledHypervisor::destroy_domain(DomId domain) {
  return parts_->tell(abi::Op::destroy_domain, domain);
}

Result<void> BundledHypervisor::pause(DomId domain) {
  return parts_->tell(abi::Op::pause, domain);
}

Result<void> BundledHypervisor::unpause(DomId domain) {
  return parts_->tell(abi::Op::unpause, domain);
}

Result<DomainInfo> BundledHypervisor::domain_info(DomId domain) {
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::domain_info, domain));
  const auto found = records<abi::DomainRecord>(response.bulk);
  if (found.size() != 1 || found[0].id != domain.value()) {
    return fail(ErrorId::hypervisor_bad_answer,
                "the hypervisor's answer to domain_info has no record");
  }
  return from_wire(found[0]);
}

Result<std::vector<DomainInfo>> BundledHypervisor::list_domains() {
  std::vector<DomainInfo> all;
  for (std::uint64_t first = 1;;) {
    XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::list_domains, DomId(0), {first}));
    for (const abi::DomainRecord& record : records<abi::DomainRecord>(response.bulk)) {
      if (record.id < first || record.id > 0xffff) {
        return fail(ErrorId::hypervisor_bad_answer,
                    "the hypervisor's list of domains is out of order");
      }
      first = record.id + 1;
      all.push_back(from_wire(record));
    }
    if (response.results[0] == 0 || response.bulk.empty()) {
      return all;
    }
  }
}

Result<void> BundledHypervisor::shutdown_domain(DomId domain, ShutdownReason reason) {
  return parts_->tell(abi::Op::shutdown_domain, domain, {static_cast<std::uint64_t>(reason)});
}

Result<void> BundledHypervisor::resume_domain(DomId domain) {
  return parts_->tell(abi::Op::resume, domain);
}

Result<void> BundledHypervisor::soft_reset(DomId domain) {
  return parts_->tell(abi::Op::soft_reset, domain);
}

}  // namespace xl::hv::bundled
