// SPDX-License-Identifier: Apache-2.0
// Unhonoured: answers the keys that a domain cannot have, so that none is ignored in silence. Used
// once for each config, by one thread.
#pragma once

#include <vector>

#include "libxl++/config/draft.hpp"
#include "libxl++/config/keys.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config {

class Unhonoured {
 public:
  // Borrows the draft. In a dry run a device is no error: a warning says that it will be one.
  Unhonoured(bool dry_run, Draft& draft) : dry_run_(dry_run), draft_(draft) {}

  // `assignment` is the one that holds, and has to outlive this object.
  void answer(const Key& key, const Assignment& assignment);
  // Warns, once for each source, of the keys that have no meaning.
  void finish();

 private:
  struct Accepted {
    const Key* key;
    const Assignment* assignment;
  };
  void refuse(const Key& key, const Assignment& assignment);
  void warn(std::vector<Accepted>::const_iterator begin, std::vector<Accepted>::const_iterator end);

  bool dry_run_;
  Draft& draft_;
  std::vector<Accepted> accepted_;
};

}  // namespace xl::config
