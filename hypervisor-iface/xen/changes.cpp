// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen/changes.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "hypervisor-iface/xen/failure.hpp"

namespace xl::hv::xen {
namespace {

constexpr const char* release_watch = "@releaseDomain";

bool is_down(const xc_domaininfo_t& info) {
  return (info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying)) != 0;
}

bool is_gone(const xc_domaininfo_t& info) {
  return (info.flags & XEN_DOMINF_dying) != 0;
}

DomainHandle handle_of(const xc_domaininfo_t& info) {
  DomainHandle handle;
  std::copy(std::begin(info.handle), std::end(info.handle), handle.begin());
  return handle;
}

}  // namespace

Result<Changes> Changes::watch(std::shared_ptr<Handles> handles, int event_channels_fd) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd own(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const Listening listening;
  if (!xs_watch(handles->store(), release_watch, "xl")) {
    return listening.failure("watching xenstore's @releaseDomain");
  }
  for (const int fd : {event_channels_fd, xs_fileno(handles->store()), own.get()}) {
    epoll_event entry{};
    entry.events = EPOLLIN;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &entry) != 0) {
      return Unexpected(system_error(errno, "waiting for Xen's events"));
    }
  }
  return Changes(std::move(handles), std::move(epoll), std::move(own));
}

void Changes::announce(DomId domain) {
  state_->changed.insert(domain);
  const std::uint64_t one = 1;
  (void)!::write(own_.get(), &one, sizeof one);  // full: it is readable already
}

void Changes::created(DomId domain, const DomainHandle& handle) {
  const std::lock_guard lock(state_->mutex);
  state_->known[domain] = {handle, false, ++state_->now};
  state_->gone.erase(domain);
}

void Changes::shut_down(DomId domain, const DomainHandle& handle) {
  const std::lock_guard lock(state_->mutex);
  Known& known = state_->known.try_emplace(domain, Known{handle, false}).first->second;
  if (!std::exchange(known.down, true)) {
    announce(domain);
  }
}

void Changes::resumed(DomId domain) {
  const std::lock_guard lock(state_->mutex);
  if (const auto found = state_->known.find(domain); found != state_->known.end()) {
    found->second.down = false;
  }
}

void Changes::destroyed(DomId domain) {
  const std::lock_guard lock(state_->mutex);
  state_->known.erase(domain);
  announce(domain);
}

std::optional<Changes::Moment> Changes::drain() {
  std::uint64_t count = 0;
  (void)!::read(own_.get(), &count, sizeof count);
  bool fired = false;
  while (char** watch = xs_check_watch(handles_->store())) {
    std::free(watch);  // NOLINT(cppcoreguidelines-no-malloc): libxenstore's
    fired = true;
  }
  const std::lock_guard lock(state_->mutex);
  const bool first = !std::exchange(state_->looked, true);
  return first || fired ? std::optional(state_->now) : std::nullopt;
}

void Changes::seen(Moment before_listing, const std::vector<xc_domaininfo_t>& domains) {
  const std::lock_guard lock(state_->mutex);
  std::map<DomId, Known> now;
  for (const xc_domaininfo_t& info : domains) {
    const DomId id(info.domain);
    const auto before = state_->known.find(id);
    const bool is_new = before == state_->known.end();
    const Known current{handle_of(info), is_down(info), is_new ? 0 : before->second.since};
    if (is_gone(info)) {
      if (!is_new) {
        state_->changed.insert(id);
        state_->gone.insert(id);
      }
      continue;
    }
    if (is_new ? current.down
               : before->second.handle != current.handle || before->second.down != current.down) {
      state_->changed.insert(id);
    }
    now.emplace(id, current);
  }
  for (const auto& [id, known] : state_->known) {
    if (known.since > before_listing) {
      now.emplace(id, known);  // the list is older than the domain
    } else if (now.count(id) == 0) {
      state_->changed.insert(id);
      state_->gone.insert(id);
    }
  }
  state_->known = std::move(now);
}

Changes::Taken Changes::take() {
  const std::lock_guard lock(state_->mutex);
  Taken taken{{state_->changed.begin(), state_->changed.end()},
              {state_->gone.begin(), state_->gone.end()}};
  state_->changed.clear();
  state_->gone.clear();
  return taken;
}

}  // namespace xl::hv::xen
