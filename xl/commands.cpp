// SPDX-License-Identifier: Apache-2.0
// The table of subcommands: names, help texts, functions.
#include "base/suggest.hpp"
#include "xl/command.hpp"

namespace xl::cli {
namespace {

constexpr Command table[] = {
    {"create", "<ConfigFile> [options] [key=value ...]", "Create a domain from a config file",
     "-c                      Attach to its console\n"
     "-p                      Leave it paused\n"
     "-q, --quiet             Print no warnings\n"
     "-F                      Stay in the foreground until it has ended\n"
     "-e                      Leave it as it is when it has shut down\n"
     "-n, --dryrun            Check only, and print the config in libxl's form\n"
     "-S, --strict            Take no unknown keys in the config file\n"
     "-f FILE, --defconfig=FILE  Use this config file\n"
     "-d                      Say more, as xl -v does\n"
     "-V, --vncviewer         Refused: PVH guests have no graphics card\n"
     "-A, --vncviewer-autopass  Refused, too\n"
     "--ignore-global-affinity-masks  xl.conf's CPU masks do not count\n"
     "--timing                Print where the time went, phase by phase, to standard error\n"
     "--json                  Print what was made, and the same phases, as JSON\n",
     run_create, Effect::dry_runs},
    {"list", "[options] [Domain ...]", "List the domains",
     "-l, --long              Print JSON in libxl's form\n"
     "-v, --verbose           Print UUID and shutdown reason as well\n"
     "-Z, --context           Print the security label as well: the same for all here\n"
     "-c, --cpupool           Print the cpupool as well: the same for all here\n"
     "-n, --numa              Print the NUMA nodes as well: the same for all here\n"
     "--json                  Print JSON\n",
     run_list},
    {"vm-list", "[--json]", "List UUID, domid and name of the domains",
     "--json                  Print JSON\n", run_vm_list},
    {"shutdown", "[options] -a|<Domain>", "Ask a guest to power off",
     "-a, --all               Ask every guest\n"
     "-w, --wait              Wait until it has shut down; twice: until it does not exist any "
     "more\n"
     "-F                      If the guest has no driver for that, press the power button\n"
     "-t SECONDS, --timeout=SECONDS  How long the guest may take to answer (60)\n",
     run_shutdown, Effect::changes},
    {"reboot", "[options] -a|<Domain>", "Ask a guest to reboot",
     "-a, --all               Ask every guest\n"
     "-w, --wait              Wait until it has shut down; twice: until it does not exist any "
     "more\n"
     "-F                      If the guest has no driver for that, press the reset button\n"
     "-t SECONDS, --timeout=SECONDS  How long the guest may take to answer (60)\n",
     run_reboot, Effect::changes},
    {"sysrq", "<Domain> <Letter>", "Send a letter of Linux's Magic SysRq to a guest", "", run_sysrq,
     Effect::changes},
    {"button-press", "<Domain> power|sleep", "Refused: PVH guests have no buttons; see shutdown",
     "", run_button_press, Effect::changes},
    {"dump-core", "[options] <Domain> <File>", "Write a domain's memory and registers to a file",
     "-L, --live              Let it run on meanwhile; else it is paused\n"
     "-z HOW, --compress[=zstd|gzip]  Compress the file\n",
     run_dump_core, Effect::changes},
    {"destroy", "[-f] <Domain>", "End a domain at once and free all that it has",
     "-f                      Taken for scripts' sake: Domain-0 is the host\n", run_destroy,
     Effect::changes},
    {"pause", "<Domain>", "Stop a domain's vcpus until it is unpaused", "", run_pause,
     Effect::changes},
    {"unpause", "<Domain>", "Let a paused domain run on", "", run_unpause, Effect::changes},
    {"vcpu-list", "[options] [Domain ...]", "List the vcpus of all or some domains",
     "--json                  Print JSON\n", run_vcpu_list},
    {"vcpu-pin", "[-f] <Domain> <Vcpu|all> <Hard|-> [Soft]",
     "Say on which CPUs a vcpu may run, and on which it had better run",
     "-f, --force             Taken for scripts' sake; there is nothing to override\n"
     "--ignore-global-affinity-masks  xl.conf's CPU masks do not count\n",
     run_vcpu_pin, Effect::dry_runs},
    {"sched-credit2", "[options] [-d <Domain> [-w <Weight>] [-c <Cap>]]",
     "Show or set the domains' weights and caps",
     "-d, --domain=DOMAIN     Of this domain\n"
     "-w, --weight=WEIGHT     1 to 65535; CPU time is shared in this proportion (256)\n"
     "-c, --cap=CAP           Most per cent of one CPU for the whole domain; 0: no cap\n"
     "-p, --cpupool=POOL      There is one pool, Pool-0\n"
     "-s, --schedparam        Show the scheduler's own parameters\n"
     "-r, --ratelimit_us=RLIMIT  Refused: the rate limit is fixed\n"
     "--json                  Print JSON\n",
     run_sched_credit2, Effect::changes},
    {"vcpu-set", "[-i] [-t seconds] <Domain> <Vcpus>",
     "Change the number of vcpus of a running domain; returns when its kernel has done it",
     "-i, --ignore-host       Also more than the host has CPUs\n"
     "-t N, --timeout=N       Wait N seconds for the guest, not 30\n",
     run_vcpu_set, Effect::changes},
    {"trigger", "<Domain> <nmi|reset|init|power|sleep|s3resume> [Vcpu]",
     "Send an NMI, a reset or an INIT to a domain or one of its vcpus", "", run_trigger,
     Effect::changes},
    {"console", "[options] <Domain>", "Attach to a domain's console; ^] detaches",
     "-t TYPE                 pv: the only one that PVH guests have\n"
     "-n NUM                  0: the only one\n",
     run_console, Effect::changes},
    {"domid", "[--json] <DomainName>", "Print a domain's domid",
     "--json                  Print JSON\n", run_domid},
    {"domname", "[--json] <DomainId>", "Print a domain's name",
     "--json                  Print JSON\n", run_domname},
    {"rename", "<Domain> <NewName>", "Rename a domain", "", run_rename, Effect::changes},
    {"mem-set", "[options] <Domain> <Mem['b'|'k'|'m'|'g'|'t']>",
     "Ask a domain's balloon driver for this much memory",
     "-w, --wait              Until the domain has it; print what it has then\n"
     "-t, --timeout=SECONDS   Wait, but no longer than this (default: 60)\n",
     run_mem_set, Effect::changes},
    {"mem-max", "<Domain> <Mem['b'|'k'|'m'|'g'|'t']>",
     "Limit what the hypervisor lets a domain have", "", run_mem_max, Effect::changes},
    {"block-attach", "<Domain> <DiskSpec> ...",
     "Show what a disk specification means (with -N; disks cannot be attached yet)", "",
     run_block_attach, Effect::dry_runs},
    {"network-attach", "<Domain> [VifSpec] ...",
     "Show what a vif specification means (with -N; vifs cannot be attached yet)", "",
     run_network_attach, Effect::dry_runs},
    {"network-list", "<Domain> ...", "List the network devices of domains",
     "--json                  Print JSON\n", run_device_list},
    {"channel-list", "<Domain> ...", "List the channels of domains",
     "--json                  Print JSON\n", run_device_list},
    {"block-list", "<Domain> ...", "List the block devices of domains",
     "--json                  Print JSON\n", run_device_list},
    {"vtpm-list", "<Domain> ...", "List the virtual TPMs of domains",
     "--json                  Print JSON\n", run_device_list},
    {"vkb-list", "<Domain> ...", "List the virtual keyboards of domains",
     "--json                  Print JSON\n", run_device_list},
    {"vdispl-list", "<Domain> ...", "List the virtual displays of domains",
     "--json                  Print JSON\n", run_device_list},
    {"vsnd-list", "<Domain> ...", "List the virtual sound devices of domains",
     "--json                  Print JSON\n", run_device_list},
    {"pci-list", "<Domain> ...", "List the PCI devices that are passed through to domains",
     "--json                  Print JSON\n", run_device_list},
    {"pci-assignable-list", "[options]", "List the PCI devices that could be passed through: none",
     "-n, --show-names        Their names as well\n"
     "--json                  Print JSON\n",
     run_pci_assignable_list},
    {"usb-list", "<Domain> ...", "List the USB devices that are passed through to domains",
     "--json                  Print JSON\n", run_device_list},
    {"cpupool-list", "[options] [Pool]", "List the CPU pools: there is one, Pool-0",
     "-c, --cpus              Its CPUs' numbers\n"
     "--json                  Print JSON\n",
     run_cpupool_list},
    {"claims", "", "List the domains with the memory that is claimed for them: none", "",
     run_claims},
    {"sharing", "[Domain]", "List the domains with the memory that they share: none", "",
     run_sharing},
    {"getenforce", "", "Print what the Flask security module enforces: there is none", "",
     run_getenforce},
    {"wait", "<Domain> --for=<Condition> [options]",
     "Wait until a domain is running, booted, shutdown, or prints console=REGEX",
     "--for=running           It exists, is not paused and has not shut down\n"
     "--for=booted            Its kernel has come up and takes `xl shutdown`\n"
     "--for=shutdown          It has shut down by itself\n"
     "--for=console=REGEX     A line on its console matches, what was printed before included\n"
     "-t, --timeout=SECONDS   Exit status 7 if it takes longer; without, wait for ever\n",
     run_wait},
    {"events", "[options] [Domain]", "Print what has happened to domains, or what happens",
     "-f, --follow            Print what happens from now on, until xld is stopped\n"
     "--after=NUMBER          Begin behind the event with this number\n"
     "--json                  One JSON object a line\n",
     run_events},
    {"metrics", "", "Print what domains, hypervisor and xld do, as Prometheus reads it", "",
     run_metrics},
    {"top", "[options]", "Show what the domains use, live; keys as xentop's",
     "-d, --delay=SECONDS     Between two looks (3)\n"
     "-b, --batch             Print, take no keys\n"
     "-i, --iterations=N      End after so many looks\n"
     "-v, --vcpus             The time of each vcpu\n"
     "-r, --repeat-header     The header above each domain\n"
     "-f, --full-name         Names are not cut\n"
     "--json                  -b, and each look as one JSON object a line\n",
     run_top},
    {"uptime", "[options] [Domain ...]", "Print how long domains have been running",
     "-s                      The short form, with the time of day\n"
     "--json                  Print JSON\n",
     run_uptime},
    {"info", "[options] [Key]", "Print what is known of the host, or one key's value",
     "-n, --numa              Print the topology of CPUs and memory as well\n"
     "--json                  Print JSON\n",
     run_info},
    {"dmesg", "[options]", "Print the hypervisor's log",
     "-c, --clear             Clear it as well\n"
     "--json                  Print JSON\n",
     run_dmesg, Effect::changes},
    {"validate", "[options] <ConfigFile ...>", "Check config files without making anything, for CI",
     "--strict                Unknown keys are errors\n"
     "--json                  Print the findings as JSON\n"
     "--sarif                 Print them as SARIF, for code hosts to show on their lines\n",
     run_validate},
    {"config-convert", "--to=cfg|yaml|json|xml [options] <ConfigFile>",
     "Print a config in another format",
     "--to=FORMAT             cfg, yaml, json or xml (libvirt's domain XML)\n"
     "--from=FORMAT           What the file is; else its name or its text tells\n",
     run_config_convert},
    {"inspect", "[options] <Kernel>", "Print what is seen in a kernel, and whether it can boot",
     "--json                  Print JSON\n", run_inspect},
    {"daemon", "start|stop|status [options]", "Start, stop or look at the daemon",
     "--all                   stop: destroy the domains that run\n"
     "--json                  status: print JSON\n",
     run_daemon, Effect::changes},
    {"completion", "<bash|zsh|fish>", "Print a script that completes xl's commands in a shell", "",
     run_completion},
    {"doctor", "[--json]", "Look whether this machine can run domains, and say what to mend",
     "--json                  Print JSON\n", run_doctor},
    {"explain", "[--json] [Error]", "Print an error's cause and cure, or the list of all errors",
     "--json                  Print JSON\n", run_explain},
    {"version", "", "Print the version", "", run_version},
    {"help", "[--long] [Subcommand]", "Print this list, or what is known of one command",
     "--long                  By what they are about, with those that do not work here, and why\n",
     run_help},
};

Unexpected<Failure> no_command(std::string text) {
  return Unexpected(Failure(Exit::usage, ErrorId::unknown_command, std::move(text)));
}

std::string_view name_of(const Command& command) {
  return command.name;
}

// Of those that work first.
std::string suggestion(std::string_view name) {
  std::string_view near = nearest(name, commands(), name_of);
  near = near.empty() ? nearest(name, refused_commands(), name_of) : near;
  return near.empty() ? std::string() : " (did you mean '" + std::string(near) + "'?)";
}

}  // namespace

std::span<const Command> commands() {
  return table;
}

Outcome<const Command*> find_command(std::string_view name) {
  for (const std::span<const Command> commands : {commands(), refused_commands()}) {
    for (const Command& command : commands) {
      if (command.name == name) {
        return &command;
      }
    }
  }
  std::string candidates;
  for (const std::span<const Command> commands : {commands(), refused_commands()}) {
    const Command* found = nullptr;
    for (const Command& command : commands) {
      if (command.name.starts_with(name)) {
        candidates.append(candidates.empty() ? "" : ", ").append(command.name);
        found = &command;
      }
    }
    if (found != nullptr && candidates == found->name) {
      return found;
    }
    if (!candidates.empty()) {
      return no_command("'" + std::string(name) + "' may mean " + candidates);
    }
  }
  return no_command("there is no command '" + std::string(name) + "'" + suggestion(name) +
                    "; see `xl help`");
}

}  // namespace xl::cli
