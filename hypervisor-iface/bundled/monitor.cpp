// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/monitor.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <cerrno>

namespace xl::hv::bundled {
namespace {

constexpr std::size_t selector_words = abi::domain0_ports / 64 / 64;

}  // namespace

bool has_events(const HostArea& area) {
  if (area.state_changed().load(std::memory_order_relaxed) != 0) {
    return true;
  }
  for (std::size_t word = 0; word < selector_words; ++word) {
    if (area.selector(word).load(std::memory_order_relaxed) != 0) {
      return true;
    }
  }
  return false;
}

Result<std::unique_ptr<Monitor>> Monitor::start(Parts parts) {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event || !stop) {
    return Unexpected(system_error(errno, "eventfd"));
  }
  std::unique_ptr<Monitor> monitor(
      new Monitor(std::move(parts), std::move(event), std::move(stop)));
  // Signals are for the threads of the program around us.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  monitor->thread_ = std::thread([self = monitor.get()] { self->run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(monitor->thread_.native_handle(), "hv-doorbell");
  return monitor;
}

Monitor::Monitor(Parts parts, UniqueFd event, UniqueFd stop)
    : parts_(std::move(parts)), event_(std::move(event)), stop_(std::move(stop)) {}

Monitor::~Monitor() {
  (void)::eventfd_write(stop_.get(), 1);
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Monitor::signal() const {
  (void)::eventfd_write(event_.get(), 1);
}

void Monitor::take_signal() const {
  eventfd_t ignored = 0;
  (void)::eventfd_read(event_.get(), &ignored);
}

void Monitor::look() const {
  // The order matters: ask for the next ring first, then look; what comes after the look rings.
  parts_.area.host_sleeping().fetch_or(abi::sleeping_for_events, std::memory_order_seq_cst);
  parts_.on_bell();
  if (parts_.area.releasable_pages().load(std::memory_order_relaxed) >= abi::release_threshold) {
    parts_.on_freed_frames();
  }
  if (has_events(parts_.area)) {
    signal();
  }
}

void Monitor::run() {
  look();
  for (;;) {
    pollfd entries[] = {{parts_.doorbell->fd(), POLLIN, 0},
                        {parts_.process_fd, POLLIN, 0},
                        {stop_.get(), POLLIN, 0}};
    if (::poll(entries, std::size(entries), -1) < 0) {
      continue;  // EINTR; nothing else can be
    }
    if (entries[2].revents != 0) {
      return;
    }
    const bool open = entries[0].revents == 0 || parts_.doorbell->drain();
    if (entries[1].revents != 0 || !open ||
        parts_.area.state().load() == static_cast<std::uint32_t>(abi::State::panicked)) {
      gone();
      return;
    }
    look();
  }
}

void Monitor::gone() {
  parts_.on_gone(parts_.why_it_ended());
  signal();
}

}  // namespace xl::hv::bundled
