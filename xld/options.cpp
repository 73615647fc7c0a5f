// SPDX-License-Identifier: Apache-2.0
#include "xld/options.hpp"

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "libxl++/api/runtime_dir.hpp"

namespace xl::daemon {

Result<std::variant<Options, std::string>> parse_options(int count, const char* const* words) {
  Options options;
  CLI::App app("xld, the daemon of xl++: makes and keeps domains for xl.", "xld");
  app.set_version_flag("--version", "xld (xl++) " XL_VERSION);
  app.add_option("--runtime-dir", options.runtime_dir,
                 "folder of socket, locks and records (default: as xl finds it)");
  app.add_option("--log-file", options.log_file, "log here instead of to standard error");
  app.add_option("--log-level", options.log_level, "trace, debug, info, warning, error or off")
      ->envname("XLD_LOG_LEVEL")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}));
  app.add_option("--console-log-dir", options.console_log_dir, "folder of the consoles' logs");
  app.add_option("--dump-dir", options.dump_dir, "folder of the core files of domains");
  app.add_option("--console-log-kib", options.console_log_kib, "size limit of each, in KiB")
      ->check(CLI::Range(std::uint64_t{4}, std::uint64_t{1} << 32));
  app.add_option("--kernel-cache-mib", options.kernel_cache_mib,
                 "memory for unpacked kernels, in MiB")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 20));
  app.add_option("--hypervisor", options.hypervisor,
                 "auto, xen or bundled: auto is the real Xen on its domain 0, else bundled")
      ->envname("XLD_HYPERVISOR")
      ->transform(CLI::Transformer(
          std::map<std::string, HypervisorChoice>{{"auto", HypervisorChoice::automatic},
                                                  {"xen", HypervisorChoice::xen},
                                                  {"bundled", HypervisorChoice::bundled}}));
  app.add_option("--qemu", options.qemu, "the QEMU that the hypervisor runs in")
      ->envname("XL_QEMU");
  app.add_option("--hypervisor-image", options.hypervisor_image, "hypervisor.elf")
      ->envname("XL_HYPERVISOR");
  app.add_option("--memory-mib", options.memory_mib, "RAM of the hypervisor's machine, in MiB")
      ->envname("XLD_MEMORY_MIB")
      ->check(CLI::Range(std::uint64_t{64}, std::uint64_t{1} << 24));
  app.add_option("--cpus", options.cpus, "CPUs of the hypervisor's machine")
      ->envname("XLD_CPUS")
      ->check(CLI::Range(1, 255));
  app.add_flag("--end-domains", options.end_domains,
               "end the hypervisor that an earlier xld left, with its domains, and serve nobody");
  app.add_flag("--doctor", options.doctor,
               "print what this machine lacks, if anything, as JSON (xl doctor shows it)");
  app.add_option("--ready-fd", options.ready_fd, "write READY=1 here when serving");
  try {
    app.parse(count, words);
  } catch (const CLI::CallForHelp&) {
    return std::variant<Options, std::string>(app.help());
  } catch (const CLI::CallForVersion& version) {
    return std::variant<Options, std::string>(std::string(version.what()) + "\n");
  } catch (const CLI::ParseError& error) {
    return fail(ErrorId::daemon_bad_option, error.what(), "see xld --help");
  }
  if (options.runtime_dir.empty()) {
    XL_TRY_ASSIGN(const api::RuntimeDir dir, api::RuntimeDir::from_environment());
    options.runtime_dir = dir.path();
  }
  if (options.runtime_dir.front() != '/') {
    return fail(ErrorId::runtime_dir_invalid,
                "--runtime-dir '" + options.runtime_dir + "' is not an absolute path",
                "write it from / on");
  }
  return std::variant<Options, std::string>(std::move(options));
}

}  // namespace xl::daemon
