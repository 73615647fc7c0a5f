// SPDX-License-Identifier: Apache-2.0
// Records: one small file for each domain, in the folder "domains" of the runtime directory, so
// that a daemon finds what a killed one had. A file is replaced as a whole, by rename, and not
// synced: no hypervisor survives what a page cache does not. Beside it lies the history of the
// domain's console.
//
// Keys are UUID.NUMBER: the handle by which the hypervisor knows the domain, so that even a damaged
// record says whose it is, and a number, as a UUID may be used again.
//
// Thread rule: every function from any thread; one key from one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/config/uuid.hpp"
#include "libxl++/toolstack/record.hpp"

namespace xl::toolstack {

class Records {
 public:
  // Makes the folder if it is missing. An empty directory: nothing is kept.
  static Result<std::unique_ptr<Records>> open(const std::string& runtime_dir);

  std::string new_key(const config::Uuid& handle);
  // Replaces what was there.
  Result<void> write(const std::string& key, const Record& record);
  // With the console's history. A file that cannot be removed is logged: the next daemon finds a
  // record of a domain that is not there.
  void remove(const std::string& key);
  void remove_console(const std::string& key);
  std::string console_path(const std::string& key) const;  // empty if nothing is kept

  struct Entry {
    std::string key;
    config::Uuid handle;
    Record record;
  };
  struct Damaged {
    std::string key;
    config::Uuid handle;
  };
  struct Contents {
    std::vector<Entry> entries;    // by key
    std::vector<Damaged> damaged;  // logged, and kept aside as KEY.damaged
  };
  // All that an earlier daemon left. Before anything is written; removes what is no record.
  Contents load();

 private:
  explicit Records(std::string directory) : directory_(std::move(directory)) {}
  void sort_out(const std::string& name, Contents& contents);
  Result<Record> read(const std::string& name) const;

  std::string directory_;
  UniqueFd folder_;  // none: nothing is kept
  std::atomic<std::uint64_t> last_number_{0};
};

}  // namespace xl::toolstack
