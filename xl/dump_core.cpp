// SPDX-License-Identifier: Apache-2.0
#include "base/new_file.hpp"
#include "xl/command.hpp"
#include "xl/options.hpp"
#include "xl/progress.hpp"

namespace xl::cli {
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
    Progress progress("writing the memory of '" + domain.name + "'");
    const api::Answer<void> done = client.dump_core(
        std::to_string(domain.domid), file.fd(), options.has('L'), compression,
        [&progress](std::uint64_t pages, std::uint64_t of) { progress.at(pages, of); });
    XL_TRY(done);
  }
  XL_TRY(file.complete());
  return {};
}

}  // namespace xl::cli
