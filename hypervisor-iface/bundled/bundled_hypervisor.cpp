// SPDX-License-Identifier: Apache-2.0
// Life of the object, and the waist's host, domain, platform and vcpu operations.
#include "hypervisor-iface/bundled/bundled_hypervisor.hpp"

#include <fmt/format.h>

#include "base/scope_exit.hpp"
#include "hypervisor-iface/bundled/parts.hpp"
#include "hypervisor-iface/bundled/start.hpp"
#include "hypervisor-iface/bundled/state_file.hpp"

namespace xl::hv::bundled {

Result<Response> BundledHypervisor::Parts::ask(const Request& request) const {
  if (request.bulk.size() > abi::bulk_size) {
    return fail(ErrorCode::invalid_argument, fmt::format("{}: {} bytes of records are too many",
                                                         name_of(request.op), request.bulk.size()));
  }
  XL_TRY_ASSIGN(Response response, ring->call(request));
  if (response.status != 0) {
    return Unexpected(error_of(request.op, request.domain, response.status));
  }
  return response;
}

Result<Response> BundledHypervisor::Parts::ask(abi::Op op, DomId domain,
                                               std::initializer_list<std::uint64_t> args,
                                               std::span<const std::byte> bulk) const {
  Request request;
  request.op = op;
  request.domain = domain;
  std::copy(args.begin(), args.end(), request.args.begin());
  request.bulk = bulk;
  return ask(request);
}

Result<void> BundledHypervisor::Parts::tell(abi::Op op, DomId domain,
                                            std::initializer_list<std::uint64_t> args,
                                            std::span<const std::byte> bulk) const {
  XL_TRY(ask(op, domain, args, bulk));
  return {};
}

namespace {

// The hypervisor has no clock of its own that knows the day: what its system time 0 was.
void tell_time(const HostArea& area, std::uint64_t uptime_ns) {
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  area.wall_clock_ns().store(static_cast<std::uint64_t>(now.count()) - uptime_ns,
                             std::memory_order_release);
}

}  // namespace

Result<std::unique_ptr<BundledHypervisor>> BundledHypervisor::start(const Options& options) {
  XL_TRY_ASSIGN(Machine machine, machine_of(options));
  XL_TRY(prepare_runtime_dir(options.runtime_dir));
  XL_TRY_ASSIGN(UniqueFd lock, lock_runtime_dir(options.runtime_dir));
  XL_TRY(end_stale(options.runtime_dir));

  XL_TRY_ASSIGN(std::shared_ptr<Ram> ram, Ram::create(machine.memory));
  const HostArea area(
      ram->frames(to_mfn(HostPhys(abi::host_area_address)), Pages(abi::host_area_size / page_size))
          .data());
  area.host_sleeping().store(abi::sleeping_for_events);
  XL_TRY_ASSIGN(const UniqueFd listener, listen_in(options.runtime_dir, doorbell_name));
  XL_TRY_ASSIGN(UniqueFd socket, connect_in(options.runtime_dir, doorbell_name));

  auto parts = std::make_unique<Parts>(area, std::move(socket));
  parts->runtime_dir = options.runtime_dir;
  parts->lock = std::move(lock);
  parts->ram = ram;
  XL_TRY_ASSIGN(Process process, start_process(machine, *ram, listener, options.runtime_dir));
  parts->process.emplace(std::move(process));
  ScopeExit undo([&] {
    parts->process->kill();
    remove_state(options.runtime_dir);
  });
  XL_TRY(write_state(options.runtime_dir,
                     {parts->process->pid(), parts->process->start_time(), ram_fd_number,
                      machine.memory, machine.cpus, machine.hypervisor_image}));
  XL_TRY_DOING(wait_ready(area, parts->doorbell, *parts->process, options),
               "starting the hypervisor");
  parts->machine = std::move(machine);
  XL_TRY(parts->start_threads(options));
  XL_TRY_ASSIGN(const Response info, parts->ask(abi::Op::host_info, DomId(0)));
  tell_time(area, info.results[3]);
  undo.release();
  return std::unique_ptr<BundledHypervisor>(new BundledHypervisor(std::move(parts)));
}

Result<void> BundledHypervisor::Parts::start_threads(const Options& options) {
  ring = std::make_unique<RingClient>(
      area, doorbell, RingClient::Options{options.spin, options.request_timeout},
      [queue = chores](const Request& request) { queue->undo(request); });
  janitor = std::make_unique<Janitor>(*ring, ram, chores);
  Monitor::Parts watched{area};
  watched.doorbell = &doorbell;
  watched.process_fd = process->fd();
  watched.on_bell = [this] { ring->on_bell(); };
  watched.on_freed_frames = [this] { chores->frames_were_freed(); };
  watched.why_it_ended = [this] { return bundled::why_it_ended(area, *process, runtime_dir); };
  watched.on_gone = [this](const std::string& why) { ring->set_gone(why); };
  XL_TRY_ASSIGN(monitor, Monitor::start(std::move(watched)));
  return {};
}

BundledHypervisor::BundledHypervisor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
BundledHypervisor::~BundledHypervisor() = default;

void BundledHypervisor::terminate() {
  parts_->ring->set_gone("the hypervisor was stopped");
  parts_->process->kill();
  remove_state(parts_->runtime_dir);
}

pid_t BundledHypervisor::pid() const {
  return parts_->process->pid();
}

Result<HostInfo> BundledHypervisor::host_info() {
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::host_info, DomId(0)));
  std::call_once(parts_->version_once,
                 [&] { parts_->qemu_version = qemu_version(parts_->machine.qemu); });
  const abi::Header header = parts_->area.header();
  HostInfo info;
  info.hypervisor = "bundled";
  info.version = "4.17.0";  // what guests see from XENVER_version (hypervisor/core)
  info.capabilities = "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64";
  info.virt_caps = "hvm hap";
  info.machine = fmt::format("qemu {} tcg, {} cpus", parts_->qemu_version, header.cpus);
  info.cpus = header.cpus;
  info.cpu_khz = header.tsc_khz;
  info.total_memory = Pages(header.total_pages);
  info.free_memory = Pages(response.results[0]);
  info.scrub_pending = Pages(response.results[1]);
  info.hypervisor_overhead_pages = response.results[2];
  return info;
}

Result<Hypervisor::LogText> BundledHypervisor::read_log(std::uint64_t from) {
  return log_text(parts_->area, from);  // also of a hypervisor that has died: then it matters most
}

Result<void> BundledHypervisor::ping() {
  return parts_->tell(abi::Op::ping, DomId(0));
}

Result<DomId> BundledHypervisor::create_domain(const DomainOptions& options) {
  std::uint64_t handle[2];
  static_assert(sizeof(handle) == sizeof(options.handle));
  std::memcpy(handle, options.handle.data(), sizeof(handle));
  XL_TRY_ASSIGN(
      const Response response,
      parts_->ask(abi::Op::create_domain, DomId(0),
                  {options.max_vcpus, options.max_memory.count(),
                   options.x2apic_enabled ? abi::create_flag_x2apic : 0, handle[0], handle[1]}));
  if (response.results[0] == 0 || response.results[0] > 0xffff) {
    return fail(ErrorCode::protocol,
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
    return fail(ErrorCode::protocol, "the hypervisor's answer to domain_info has no record");
  }
  return from_wire(found[0]);
}

Result<std::vector<DomainInfo>> BundledHypervisor::list_domains() {
  std::vector<DomainInfo> all;
  for (std::uint64_t first = 1;;) {
    XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::list_domains, DomId(0), {first}));
    for (const abi::DomainRecord& record : records<abi::DomainRecord>(response.bulk)) {
      if (record.id < first || record.id > 0xffff) {
        return fail(ErrorCode::protocol, "the hypervisor's list of domains is out of order");
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

Result<void> BundledHypervisor::set_hvm_params(DomId domain, std::span<const HvmParam> params) {
  std::vector<abi::HvmParamRecord> wire;
  for (const HvmParam& param : params) {
    wire.push_back({param.index, 0, param.value});
  }
  return parts_->tell(abi::Op::set_hvm_params, domain, {}, bytes_of(wire));
}

Result<std::uint64_t> BundledHypervisor::get_hvm_param(DomId domain, std::uint32_t index) {
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::get_hvm_param, domain, {index}));
  return response.results[0];
}

Result<void> BundledHypervisor::set_cpuid_policy(DomId domain, std::span<const CpuidLeaf> leaves) {
  std::vector<abi::CpuidRecord> wire;
  for (const CpuidLeaf& leaf : leaves) {
    wire.push_back({leaf.leaf, leaf.subleaf, leaf.eax, leaf.ebx, leaf.ecx, leaf.edx});
  }
  return parts_->tell(abi::Op::set_cpuid_policy, domain, {}, bytes_of(wire));
}

Result<VcpuContext> BundledHypervisor::get_vcpu_context(DomId domain, VcpuId vcpu) {
  XL_TRY_ASSIGN(const Response response,
                parts_->ask(abi::Op::get_vcpu_context, domain, {vcpu.value()}));
  const auto found = records<abi::VcpuContextRecord>(response.bulk);
  if (found.size() != 1) {
    return fail(ErrorCode::protocol, "the hypervisor's answer to get_vcpu_context has no record");
  }
  return from_wire(found[0]);
}

Result<void> BundledHypervisor::set_vcpu_context(DomId domain, VcpuId vcpu,
                                                 const VcpuContext& context) {
  const std::vector<abi::VcpuContextRecord> wire = {to_wire(context)};
  return parts_->tell(abi::Op::set_vcpu_context, domain, {vcpu.value()}, bytes_of(wire));
}

Result<VcpuInfo> BundledHypervisor::vcpu_info(DomId domain, VcpuId vcpu) {
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::vcpu_info, domain, {vcpu.value()}));
  VcpuInfo info;
  info.id = vcpu;
  info.online = (response.results[0] & 1) != 0;
  info.blocked = (response.results[0] & 2) != 0;
  info.running = (response.results[0] & 4) != 0;
  info.cpu = static_cast<std::uint32_t>(response.results[1]);
  info.cpu_time = Nanoseconds(response.results[2]);
  return info;
}

Result<std::vector<NamedCounter>> BundledHypervisor::counters(std::optional<DomId> domain) {
  XL_TRY_ASSIGN(const Response response, parts_->ask(abi::Op::counters, domain.value_or(DomId(0))));
  std::vector<NamedCounter> all;
  for (const abi::CounterRecord& record : records<abi::CounterRecord>(response.bulk)) {
    all.push_back(from_wire(record));
  }
  return all;
}

}  // namespace xl::hv::bundled
