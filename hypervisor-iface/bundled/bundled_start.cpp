// SPDX-License-Identifier: Apache-2.0
// Starting the hypervisor: from nothing to a ready BundledHypervisor, or to one error and nothing
// left.
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <fstream>

#include "base/scope_exit.hpp"
#include "hypervisor-iface/bundled/running.hpp"
#include "hypervisor-iface/bundled/start.hpp"

namespace xl::hv::bundled {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned max_cpus = 32;  // hypervisor/x86_64: stacks and tables are static
constexpr Bytes min_memory = mib(32);
constexpr std::uint64_t memory_unit = mib(2).count();

bool has_state(const HostArea& area, abi::State state) {
  return area.state().load(std::memory_order_acquire) == static_cast<std::uint32_t>(state);
}

std::string last_lines(std::istream& text, std::size_t count) {
  std::deque<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    if (!line.empty()) {
      lines.push_back(line);
    }
    if (lines.size() > count) {
      lines.pop_front();
    }
  }
  return fmt::format("{}", fmt::join(lines, " | "));
}

}  // namespace

Bytes default_memory() {
  const auto pages = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 0L));
  const auto page = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 0L));
  return Bytes(std::max(pages * page / 4 * 3 / memory_unit * memory_unit, min_memory.count()));
}

unsigned default_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) {
    return 1;
  }
  return std::clamp(static_cast<unsigned>(CPU_COUNT(&set)), 1U, max_cpus);
}

Result<Machine> machine_of(const Options& options) {
  Machine machine;
  machine.memory = options.memory.value_or(default_memory());
  machine.cpus = options.cpus != 0 ? options.cpus : default_cpus();
  if (machine.memory < min_memory || machine.memory.count() % memory_unit != 0) {
    return fail(ErrorId::hypervisor_machine_invalid,
                fmt::format("{} bytes of memory for the hypervisor: has to be a multiple of 2 MiB, "
                            "32 MiB or more",
                            machine.memory.count()),
                "correct XLD_MEMORY_MIB, which is in MiB");
  }
  if (machine.cpus > max_cpus) {
    return fail(ErrorId::hypervisor_machine_invalid,
                fmt::format("{} CPUs for the hypervisor: at most {}", machine.cpus, max_cpus),
                "correct XLD_CPUS");
  }
  XL_TRY_ASSIGN(machine.qemu, find_qemu(options.qemu));
  XL_TRY_ASSIGN(machine.hypervisor_image, find_hypervisor_image(options.hypervisor_image));
  return machine;
}

std::string why_it_ended(const HostArea& area, const Process& process,
                         const std::string& runtime_dir) {
  constexpr int grace_ms = 500;  // the socket closes a little before the process is gone
  if (has_state(area, abi::State::panicked)) {
    return "the hypervisor panicked: " + last_log_line(area);
  }
  const bool ended = wait_ended(process.fd(), grace_ms);
  std::ifstream log(runtime_dir + "/" + log_file_name);
  const std::string words = last_lines(log, 3);
  return fmt::format("the hypervisor's process {}{}",
                     ended ? fmt::format("has ended ({})", process.end()) : "closed its doorbell",
                     words.empty() ? "" : ": " + words);
}

Result<void> wait_ready(const HostArea& area, const Doorbell& doorbell, const Process& process,
                        const Options& options) {
  const Clock::time_point deadline = Clock::now() + options.start_timeout;
  // The doorbell tells. Only a byte that QEMU dropped because it had not accepted our connection
  // yet needs the timeout.
  constexpr int look_again_ms = 20;
  while (!has_state(area, abi::State::ready)) {
    pollfd entries[] = {{doorbell.fd(), POLLIN, 0}, {process.fd(), POLLIN, 0}};
    (void)::poll(entries, std::size(entries), look_again_ms);
    const bool open = entries[0].revents == 0 || doorbell.drain();
    if (entries[1].revents != 0 || !open || has_state(area, abi::State::panicked)) {
      return fail(ErrorId::hypervisor_not_started, why_it_ended(area, process, options.runtime_dir),
                  "`xl doctor` looks for what is missing");
    }
    if (Clock::now() >= deadline && !has_state(area, abi::State::ready)) {
      return fail(ErrorId::hypervisor_slow_start,
                  fmt::format("the hypervisor was not ready after {} ms; its log ends: {}",
                              options.start_timeout.count(), last_log_line(area)),
                  "`xl doctor` looks for what holds it up");
    }
  }
  return {};
}

Result<void> check_version(const HostArea& area) {
  const abi::Header header = area.header();
  if (header.magic != abi::magic) {
    return fail(ErrorId::hypervisor_version, "what runs is not this program's hypervisor",
                "build or install all of xl++");
  }
  if (header.version != abi::version) {
    return fail(ErrorId::hypervisor_version,
                fmt::format("the hypervisor's interface has version {}, this program's {}",
                            header.version, abi::version),
                "build or install all of xl++");
  }
  return {};
}

Result<Connection> start_new(const Options& options) {
  XL_TRY_ASSIGN(Machine machine, machine_of(options));
  XL_TRY_ASSIGN(const UniqueFd running, lock_running(options.runtime_dir));
  XL_TRY_ASSIGN(std::shared_ptr<Ram> ram, Ram::create(machine.memory));
  const HostArea area = area_of(*ram);
  area.host_sleeping().store(abi::sleeping_for_events);
  XL_TRY_ASSIGN(const UniqueFd listener, listen_in(options.runtime_dir, doorbell_name));
  XL_TRY_ASSIGN(UniqueFd socket, connect_in(options.runtime_dir, doorbell_name));

  Process::Spawn spawn;
  spawn.command = qemu_command(machine);
  spawn.descriptors = {{ram->fd(), ram_fd_number},
                       {listener.get(), doorbell_fd_number},
                       {running.get(), running_fd_number}};
  spawn.error_log = options.runtime_dir + "/" + log_file_name;
  XL_TRY_ASSIGN(Process process, Process::spawn(spawn));
  Connection link{std::move(machine), std::move(ram), area, Doorbell(std::move(socket)),
                  std::move(process)};
  ScopeExit undo([&] {
    link.process.kill();
    remove_state(options.runtime_dir);
  });
  XL_TRY(write_state(options.runtime_dir, state_of(link)));
  XL_TRY_DOING(wait_ready(area, link.doorbell, link.process, options), "starting the hypervisor");
  XL_TRY(check_version(area));
  undo.release();
  return link;
}

}  // namespace xl::hv::bundled
