// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen/page_types.hpp"

extern "C" {
#include <xencall.h>
}

#include <algorithm>
#include <memory>

#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

namespace xl::hv::xen {
namespace {

// Memory that stays where it is while Xen reads and writes it.
template <typename T>
class CallBuffer {
 public:
  CallBuffer(xencall_handle* calls, std::size_t count)
      : calls_(calls), start_(static_cast<T*>(xencall_alloc_buffer(calls, count * sizeof(T)))) {}
  CallBuffer(const CallBuffer&) = delete;
  CallBuffer& operator=(const CallBuffer&) = delete;
  ~CallBuffer() { xencall_free_buffer(calls_, start_); }
  T* get() const { return start_; }

 private:
  xencall_handle* calls_;
  T* start_;
};

}  // namespace

Result<void> read_page_types(const Handles& handles, DomId domain,
                             std::span<std::uint64_t> frames) {
  const Listening listening;
  xencall_handle* calls = xc_interface_xcall_handle(handles.xc());
  const CallBuffer<xen_domctl> request(calls, 1);
  const CallBuffer<std::uint64_t> types(calls, frames.size());
  if (request.get() != nullptr && types.get() != nullptr) {
    std::copy(frames.begin(), frames.end(), types.get());
    *request.get() = {};
    request.get()->cmd = XEN_DOMCTL_getpageframeinfo3;
    request.get()->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    request.get()->domain = domain.value();
    request.get()->u.getpageframeinfo3.num = frames.size();
    // SAFETY: a guest handle holds the address of what Xen fills.
    set_xen_guest_handle_raw(request.get()->u.getpageframeinfo3.array,
                             reinterpret_cast<xen_pfn_t*>(types.get()));
    // SAFETY: hypercalls take addresses as words.
    if (xencall1(calls, __HYPERVISOR_domctl, reinterpret_cast<std::uintptr_t>(request.get())) ==
        0) {
      std::copy(types.get(), types.get() + frames.size(), frames.begin());
      return {};
    }
  }
  return listening.failure("telling which frames " + name_of(domain) + " has");
}

}  // namespace xl::hv::xen
