// SPDX-License-Identifier: Apache-2.0
// Which of the domains that a hypervisor has are adopted, and what becomes of the others and of the
// records without a domain. Pure, but for recovered_entry.
#pragma once

#include <string>
#include <vector>

#include "hypervisor-iface/hypervisor.hpp"
#include "libxl++/toolstack/records.hpp"
#include "libxl++/xenstore/node_store.hpp"

namespace xl::toolstack {

struct Adoption {
  struct Pair {
    Records::Entry entry;
    hv::DomainInfo info;
  };
  struct Unknown {
    std::string key;
    hv::DomainInfo info;
  };
  std::vector<Pair> adopt;
  std::vector<Unknown> recover;            // it ran, and its record is damaged
  std::vector<hv::DomainInfo> destroy;     // half made, or half gone
  std::vector<hv::DomainInfo> unrecorded;  // nobody wrote a record
  std::vector<Records::Entry> restart;     // once the old one, among `destroy`, has gone
  std::vector<std::string> forget;         // keys of records of which nothing is to stay
};

// A record and a domain belong together by the hypervisor's handle, and by the id as far as the
// record has one. A record is written before its domain is made and goes after it: a domain without
// one was made by somebody else.
Adoption plan_adoption(Records::Contents contents, std::vector<hv::DomainInfo> domains);

// What can be known of a domain whose record is damaged: the name that the xenstore has, the lines
// that the hypervisor has. It is kept whatever it does, for its user to decide.
Records::Entry recovered_entry(hv::Hypervisor& hypervisor, xenstore::NodeStore& store,
                               const Adoption::Unknown& unknown);

}  // namespace xl::toolstack
