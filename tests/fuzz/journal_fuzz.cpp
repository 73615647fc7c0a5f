// SPDX-License-Identifier: Apache-2.0
// The journal's loader. The input is a batch, as if its checksum were right: a store is made of it
// or it is refused, and what was made can be written down and read again, to the same.
#include <spdlog/spdlog.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "libxl++/xenstore/journal.hpp"
#include "libxl++/xenstore/replay.hpp"
#include "libxl++/xenstore/store.hpp"

namespace {

using xl::xenstore::Recorder;
using xl::xenstore::Replay;
using xl::xenstore::Store;

void check(bool condition) {
  if (!condition) {
    std::abort();
  }
}

std::string snapshot(const Store& store) {
  std::string all;
  Recorder recorder([&](std::string_view batch) { all += batch; });
  store.record_all(recorder);
  recorder.finish();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spdlog::set_level(spdlog::level::off);
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  xl::xenstore::read_batches(input, [](std::string_view) { return true; });
  Store store;
  Replay replay(store);
  const bool is_whole = replay.apply(input);
  const xl::xenstore::Guests guests = replay.take_guests();
  if (is_whole) {
    const std::string first = snapshot(store);
    Store again;
    Replay second(again);
    check(second.apply(first));
    const xl::xenstore::Guests its_guests = second.take_guests();
    check(its_guests.size() == guests.size());
    check(again.tree().size() == store.tree().size());
    check(snapshot(again).size() == first.size());
  }
  return 0;
}
