// SPDX-License-Identifier: Apache-2.0
// LibxlUserdata: what the stock toolstack keeps of each domain as files in /var/lib/xen, so that
// its `xl list -l`, `xl vcpu-set`, `xl block-attach`, ... know the domains that were made here. As
// libxl_dom.c has it: userdata-d.DOMID.UUID.libxl-json is a libxl_domain_config as JSON, replaced
// as a whole by rename; whoever changes it holds userdata-l.DOMID.UUID.domain-userdata-lock.
//
// Thread rule: every function from any thread. Both wait for a stock tool that holds the lock of
// the domain, which it does for one file access.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/config/uuid.hpp"

namespace xl::toolstack {

class LibxlUserdata {
 public:
  explicit LibxlUserdata(std::string directory = "/var/lib/xen")
      : directory_(std::move(directory)) {}

  // In place of what was there. Errors: of the file system, naming the file.
  Result<void> write(DomId domain, const config::Uuid& uuid, std::string_view json) const;
  // What is there now, of whoever made the domain. Errors: the same; damaged.
  Result<std::string> read(DomId domain, const config::Uuid& uuid) const;
  // All that anyone kept of the domain there. Before its domid can be another's. Errors: the same;
  // nothing there is none.
  Result<void> remove(DomId domain, const config::Uuid& uuid) const;

 private:
  std::string path(char kind, DomId domain, const config::Uuid& uuid, std::string_view user) const;

  std::string directory_;
};

// What libxl would keep of a domain that it made of this. The UUID must be there.
std::string libxl_json(const config::DomainConfig& config);

}  // namespace xl::toolstack
