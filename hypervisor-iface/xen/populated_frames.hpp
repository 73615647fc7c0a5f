// SPDX-License-Identifier: Apache-2.0
// Which frames of a domain with memory on demand are there. Asking Xen about a frame gives it its
// memory, so Xen is not asked: its table of which guest frame each machine frame is (the M2P, which
// a PV domain 0 may map) names all that may be the domain's, and a StandIn tells which are. Frames
// set aside for a domain have no entry in the table.
//
// A look reads eight bytes for each page of the host, and maps one of each 512 that are together
// elsewhere: some 0.1 s. While the domain is paused, it is exact.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "hypervisor-iface/hypervisor.hpp"
#include "hypervisor-iface/xen/handles.hpp"

namespace xl::hv::xen {

// The host's M2P, mapped as long as this lives.
class MachineToPhys {
 public:
  // not_supported where domain 0 is not PV.
  static Result<MachineToPhys> map(const Handles& handles);
  // Xen writes there meanwhile.
  std::uint64_t operator[](xen_pfn_t machine) const { return start_.get()[machine]; }
  xen_pfn_t size() const { return start_.get_deleter().size; }  // machine frames

 private:
  struct Unmap {
    xen_pfn_t size = 0;
    void operator()(const volatile xen_pfn_t* start) const;
  };
  using Mapped = std::unique_ptr<const volatile xen_pfn_t[], Unmap>;
  explicit MachineToPhys(Mapped start) : start_(std::move(start)) {}

  Mapped start_;
};

class PopulatedFrames {
 public:
  enum class Care {
    usual,    // does without those that lie alone among another domain's
    thorough  // asks for each machine frame of the host
  };
  // `end`: behind the domain's last guest frame.
  static Result<PopulatedFrames> find(const std::shared_ptr<Handles>& handles, DomId domain,
                                      Gfn end, Care care);

  // Ascending, joined. Xen's own pages that the guest has mapped are among them.
  std::vector<Extent> extents() const;
  // Were there, and still are, by the machine frames that they had: the domain may have run since,
  // but does not now.
  bool are_there(const Extent& extent) const;

 private:
  struct Frame {
    Gfn guest;
    xen_pfn_t machine;
  };
  PopulatedFrames(MachineToPhys table, std::vector<Frame> frames)
      : table_(std::move(table)), frames_(std::move(frames)) {}

  MachineToPhys table_;
  std::vector<Frame> frames_;  // ascending by guest frame
};

// The last look at each of a few domains. Any thread.
class Looks {
 public:
  struct Look {
    DomId domain;
    DomainHandle handle;
    Nanoseconds cpu_time;  // that it had used
    Pages promised;        // that it had not got
    PopulatedFrames frames;
  };
  // Null: none yet, or of another domain that had its id.
  std::shared_ptr<const Look> find(DomId domain, const DomainHandle& handle) const;
  void keep(Look look);
  void forget(DomId domain);

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const Look>> looks_;  // the newest last
};

}  // namespace xl::hv::xen
