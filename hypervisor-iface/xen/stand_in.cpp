// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen/stand_in.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

namespace xl::hv::xen {
namespace {

constexpr std::size_t batch = 1024;       // frames in one request
constexpr std::size_t list_batch = 1024;  // domains in one

// Its domain's handle: a mark, and who made it.
struct Mark {
  char text[sizeof(xen_domain_handle_t) - sizeof(pid_t)];
  pid_t maker;
};
static_assert(sizeof(Mark) == sizeof(xen_domain_handle_t));
constexpr char mark_text[sizeof(Mark::text) + 1] = "xl++ standin";

Mark mark_of(const xc_domaininfo_t& info) {
  Mark mark;
  std::memcpy(&mark, info.handle, sizeof mark);
  return mark;
}

void destroy(const Handles& handles, std::uint32_t id) {
  const Listening listening;
  while (xc_domain_destroy(handles.xc(), id) != 0 &&
         (errno == EAGAIN || errno == EINTR || errno == EBUSY)) {
  }
}

}  // namespace

void StandIn::Destroy::operator()(const std::uint32_t* id) const {
  destroy(*handles, *id);
  delete id;
}

Result<StandIn> StandIn::create(std::shared_ptr<Handles> handles, DomId domain) {
  xen_domctl_createdomain how{};  // no flag: PV
  Mark mark;
  std::memcpy(mark.text, mark_text, sizeof mark.text);
  mark.maker = ::getpid();
  std::memcpy(how.handle, &mark, sizeof how.handle);
  how.max_vcpus = 1;  // Xen wants some to be possible
  how.max_grant_frames = 1;
  how.max_maptrack_frames = 1;
  how.grant_opts = XEN_DOMCTL_GRANT_version(1);
  const Listening listening;
  auto room = std::make_unique<std::uint32_t>(0);  // Xen's choice
  xc_interface* xc = handles->xc();
  if (xc_domain_create(xc, room.get(), &how) != 0) {
    return listening.failure("creating a domain that stands in for " + name_of(domain));
  }
  StandIn made(
      std::unique_ptr<std::uint32_t, Destroy>(room.release(), Destroy{std::move(handles)}));
  if (xc_domain_set_target(xc, *made.id_, domain.value()) != 0) {
    return listening.failure("letting a domain stand in for " + name_of(domain));
  }
  return made;
}

Result<std::vector<bool>> StandIn::owns(std::span<const xen_pfn_t> frames) const {
  std::vector<bool> answers;
  answers.reserve(frames.size());
  xenforeignmemory_handle* memory = id_.get_deleter().handles->memory();
  const Listening listening;
  for (std::size_t from = 0; from < frames.size(); from += batch) {
    const std::size_t count = std::min(batch, frames.size() - from);
    std::vector<int> errors(count);
    void* start = xenforeignmemory_map2(memory, *id_, nullptr, PROT_READ, 0, count, &frames[from],
                                        errors.data());
    if (start == nullptr) {
      return listening.failure("asking whose " + std::to_string(count) + " frames are");
    }
    xenforeignmemory_unmap(memory, start, count);
    std::transform(errors.begin(), errors.end(), std::back_inserter(answers),
                   [](int error) { return error == 0; });
  }
  return answers;
}

bool is_stand_in(const xc_domaininfo_t& info) {
  return std::memcmp(mark_of(info).text, mark_text, sizeof(Mark::text)) == 0;
}

void remove_stand_ins(const Handles& handles) {
  const Listening listening;
  std::vector<xc_domaininfo_t> all(list_batch);
  std::uint32_t first = 1;
  for (int found = list_batch; found == static_cast<int>(list_batch);) {
    found = xc_domain_getinfolist(handles.xc(), first, list_batch, all.data());
    for (int i = 0; i < found; ++i) {
      const xc_domaininfo_t& info = all[static_cast<std::size_t>(i)];
      if (is_stand_in(info) && ::kill(mark_of(info).maker, 0) != 0 && errno == ESRCH) {
        destroy(handles, info.domain);
      }
      first = info.domain + 1U;
    }
  }
}

}  // namespace xl::hv::xen
