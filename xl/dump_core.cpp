// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "base/new_file.hpp"
#include "xl/command.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

// Says how far it is, on a terminal, when it takes long.
class ProgressLine {
 public:
  void show(std::uint64_t pages, std::uint64_t of) {
    const bool early = std::chrono::steady_clock::now() - start_ < std::chrono::seconds(1);
    if (early || of == 0 || ::isatty(STDERR_FILENO) == 0) {
      return;
    }
    print_note(format("\r%3llu %% of %llu MiB", static_cast<unsigned long long>(pages * 100 / of),
                      static_cast<unsigned long long>(of >> 8)));
    shown_ = true;
  }
  ~ProgressLine() {
    if (shown_) {
      print_note("\r\033[K");
    }
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool shown_ = false;
};

}  // namespace

Outcome<void> run_dump_core(const Arguments& arguments) {
  // `--compress` takes a value or none; getopt knows it by two names.
  Arguments known = arguments;
  for (std::string& word : known.words) {
    word = word == "--compress" ? "--compress=zstd" : word;
  }
  XL_TRY_ASSIGN(const Options options,
                Options::parse(known, "Lz:", {{"live", 'L'}, {"compress", 'z', true}}));
  XL_TRY(options.need_words(2, 2));
  const std::string compression = options.has('z') ? options.value('z') : "none";
  if (options.has('z') && compression != "zstd" && compression != "gzip") {
    return wrong_usage("'" + compression + "' is not a compression: zstd or gzip");
  }
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const api::DomainView domain, client.find(options.words()[0]));
  XL_TRY_ASSIGN(NewFile file, NewFile::create(options.words()[1]));
  {
    ProgressLine line;
    const api::Answer<void> done =
        client.dump_core(std::to_string(domain.domid), file.fd(), options.has('L'), compression,
                         [&line](std::uint64_t pages, std::uint64_t of) { line.show(pages, of); });
    XL_TRY(done);
  }
  XL_TRY(file.complete());
  return {};
}

}  // namespace xl::cli
