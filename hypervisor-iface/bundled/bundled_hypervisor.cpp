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
  XL_TRY(prepare_runtime_dir(options.runtime_dir));
  XL_TRY_ASSIGN(UniqueFd lock, lock_runtime_dir(options.runtime_dir));
  XL_TRY_ASSIGN(std::optional<Connection> link, attach_to_running(options));
  const bool attached = link.has_value();
  if (!attached) {
    XL_TRY_ASSIGN(Connection fresh, start_new(options));
    link.emplace(std::move(fresh));
  }
  auto parts = std::make_unique<Parts>(std::move(*link));
  parts->attached = attached;
  parts->runtime_dir = options.runtime_dir;
  parts->lock = std::move(lock);
  ScopeExit undo([&] {
    if (!attached) {
      parts->process.kill();
      remove_state(options.runtime_dir);
    }
  });
  XL_TRY(parts->start_threads(options));
  if (attached) {
    if (Result<void> taken = parts->take_over(); !taken) {
      return Unexpected(left_alone(parts->process.pid(), std::move(taken).error()));
    }
  }
  XL_TRY_ASSIGN(const Response info, parts->ask(abi::Op::host_info, DomId(0)));
  tell_time(parts->area, info.results[3]);
  undo.release();
  return std::unique_ptr<BundledHypervisor>(new BundledHypervisor(std::move(parts)));
}

// What the process before had posted comes first. Frames that it had taken to release their memory
// are released again, as nobody knows how far it came.
Result<void> BundledHypervisor::Parts::take_over() {
  XL_TRY(ring->catch_up());
  XL_TRY(tell(abi::Op::attach, DomId(0)));
  (void)janitor->release_some();
  return {};
}

Result<void> BundledHypervisor::Parts::start_threads(const Options& options) {
  ring = std::make_unique<RingClient>(
      area, doorbell, RingClient::Options{options.spin, options.request_timeout},
      [queue = chores](const Request& request) { queue->undo(request); });
  janitor = std::make_unique<Janitor>(*ring, ram, chores);
  Monitor::Parts watched{area};
  watched.doorbell = &doorbell;
  watched.process_fd = process.fd();
  watched.on_bell = [this] { ring->on_bell(); };
  watched.on_freed_frames = [this] { chores->frames_were_freed(); };
  watched.why_it_ended = [this] { return bundled::why_it_ended(area, process, runtime_dir); };
  watched.on_gone = [this](const std::string& why) { ring->set_gone(why); };
  XL_TRY_ASSIGN(monitor, Monitor::start(std::move(watched)));
  return {};
}

BundledHypervisor::BundledHypervisor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
BundledHypervisor::~BundledHypervisor() {
  if (parts_->ring->gone()) {
    parts_->process.kill();  // dead or of no use: nothing of it is to stay, not even a zombie
  }
}

void BundledHypervisor::terminate() {
  parts_->ring->set_gone("the hypervisor was stopped");
  parts_->process.kill();
  remove_state(parts_->runtime_dir);
}

bool BundledHypervisor::attached() const {
  return parts_->attached;
}

pid_t BundledHypervisor::pid() const {
  return parts_->process.pid();
}

}  // namespace xl::hv::bundled
