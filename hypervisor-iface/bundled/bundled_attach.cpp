// SPDX-License-Identifier: Apache-2.0
// Finding the hypervisor that an earlier daemon left (docs/adr/0090): it is attached to; or it has
// no domains to lose, and is ended; or the error says why neither is right.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "hypervisor-iface/bundled/running.hpp"
#include "hypervisor-iface/bundled/start.hpp"

namespace xl::hv::bundled {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int look_again_ms = 10;

void note(const Options& options, const std::string& text) {
  if (options.note) {
    options.note(text);
  }
}

abi::State phase_of(const HostArea& area) {
  return static_cast<abi::State>(area.state().load(std::memory_order_acquire));
}

// Its memory. Nothing if it has ended, or does not become QEMU in time.
Result<std::shared_ptr<Ram>> memory_of(const RunningProcess& running, Clock::time_point deadline) {
  for (;;) {
    Result<std::shared_ptr<Ram>> ram = Ram::open(running.pid);
    // If it still runs, what was opened is its, and not that of a later process with its number.
    if (wait_ended(running.process.get(), 0)) {
      return std::shared_ptr<Ram>();
    }
    if (ram || ram.error().code != ErrorCode::busy) {
      return ram;
    }
    if (wait_ended(running.process.get(), look_again_ms) || Clock::now() >= deadline) {
      return std::shared_ptr<Ram>();
    }
  }
}

Machine machine_of_running(const Options& options, const Ram& ram, const HostArea& area) {
  Machine machine;
  if (const std::optional<HypervisorState> state = read_state(options.runtime_dir)) {
    machine.hypervisor_image = state->image;
    machine.qemu = state->qemu;
  }
  machine.memory = ram.size();
  machine.cpus = area.header().cpus;
  if ((options.memory && *options.memory != machine.memory) ||
      (options.cpus != 0 && options.cpus != machine.cpus)) {
    note(options, fmt::format("it has {} MiB and {} CPUs; what was asked for is for the next one",
                              machine.memory.count() >> 20U, machine.cpus));
  }
  return machine;
}

// What the hypervisor rings before QEMU has accepted the connection is lost: wait for a ring.
Result<void> greet(const Connection& link, const Options& options) {
  const Clock::time_point deadline = Clock::now() + options.request_timeout;
  link.doorbell.hello();
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entries[] = {{link.doorbell.fd(), POLLIN, 0}, {link.process.fd(), POLLIN, 0}};
    const int ready =
        ::poll(entries, std::size(entries), static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready > 0 && entries[0].revents != 0) {
      return {};
    }
    if (ready > 0 || left <= 0) {
      return fail(ErrorId::hypervisor_silent,
                  fmt::format("it has not answered for {} ms", options.request_timeout.count()));
    }
  }
}

// Whether it can be talked to. hypervisor_gone here means that it never had, or has no longer, any
// domains.
Result<void> wait_usable(const Connection& link, const Options& options) {
  if (phase_of(link.area) == abi::State::panicked) {
    return fail(ErrorId::hypervisor_died, "it panicked: " + last_log_line(link.area));
  }
  if (phase_of(link.area) == abi::State::booting) {
    if (Result<void> ready = wait_ready(link.area, link.doorbell, link.process, options); !ready) {
      return fail(ErrorId::hypervisor_died, "it had not started: " + ready.error().message);
    }
  }
  if (phase_of(link.area) != abi::State::ready) {
    return fail(ErrorId::hypervisor_bad_answer, "its memory makes no sense");
  }
  return check_version(link.area);
}

Result<Connection> connect(const RunningProcess& running, std::shared_ptr<Ram> ram,
                           const Options& options) {
  XL_TRY_ASSIGN(UniqueFd socket, connect_in(options.runtime_dir, doorbell_name));
  const HostArea area = area_of(*ram);
  return Connection{{},
                    std::move(ram),
                    area,
                    Doorbell(std::move(socket)),
                    Process::adopt(UniqueFd(::fcntl(running.process.get(), F_DUPFD_CLOEXEC, 0)),
                                   running.pid, running.start_time)};
}

Result<std::optional<Connection>> attach_to(const RunningProcess& running, const Options& options) {
  XL_TRY_ASSIGN(std::shared_ptr<Ram> ram, memory_of(running, Clock::now() + options.start_timeout));
  if (!ram) {
    return fail(ErrorId::hypervisor_died, "it had not started");
  }
  XL_TRY_ASSIGN(Connection link, connect(running, std::move(ram), options));
  XL_TRY(wait_usable(link, options));
  if (const Result<void> greeted = greet(link, options); !greeted) {
    return fail(ErrorId::hypervisor_slow_start, greeted.error().message);
  }
  note(options, fmt::format("attached to the hypervisor that runs as process {}", running.pid));
  link.machine = machine_of_running(options, *link.ram, link.area);
  XL_TRY(write_state(options.runtime_dir, state_of(link)));
  return std::optional(std::move(link));
}

}  // namespace

HostArea area_of(const Ram& ram) {
  return HostArea(
      ram.frames(to_mfn(HostPhys(abi::host_area_address)), Pages(abi::host_area_size / page_size))
          .data());
}

HypervisorState state_of(const Connection& link) {
  return {link.process.pid(), link.process.start_time(),     ram_fd_number,    link.machine.memory,
          link.machine.cpus,  link.machine.hypervisor_image, link.machine.qemu};
}

Error left_alone(pid_t pid, Error error) {
  error.hint = "`xl daemon stop --all` ends it with its domains";
  return std::move(error).while_doing(
      fmt::format("attaching to the hypervisor that runs as process {}", pid));
}

Result<std::optional<Connection>> attach_to_running(const Options& options) {
  XL_TRY_ASSIGN(const std::optional<RunningProcess> running, find_running(options.runtime_dir));
  if (!running) {
    remove_state(options.runtime_dir);
    return std::optional<Connection>();
  }
  Result<std::optional<Connection>> link = attach_to(*running, options);
  if (link) {
    return link;
  }
  if (link.error().code != ErrorCode::hypervisor_gone && !wait_ended(running->process.get(), 0)) {
    return Unexpected(left_alone(running->pid, std::move(link).error()));
  }
  note(options, fmt::format("ending the hypervisor that an earlier daemon left, process {}: {}",
                            running->pid, link.error().message));
  XL_TRY(end_stale(options.runtime_dir));
  return std::optional<Connection>();
}

}  // namespace xl::hv::bundled
