// SPDX-License-Identifier: Apache-2.0
// Life of the object, and how the waist's operations ask.
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
BundledHypervisor::~BundledHypervisor() {
  if (parts_->ring->gone()) {
    parts_->process->kill();  // dead or of no use: nothing of it is to stay, not even a zombie
  }
}

void BundledHypervisor::terminate() {
  parts_->ring->set_gone("the hypervisor was stopped");
  parts_->process->kill();
  remove_state(parts_->runtime_dir);
}

pid_t BundledHypervisor::pid() const {
  return parts_->process->pid();
}

}  // namespace xl::hv::bundled
