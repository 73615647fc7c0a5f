// SPDX-License-Identifier: Apache-2.0
// What fails inside Xen while a domain is made: one error with the cause, and no domain left. The
// libraries' functions are wrapped here; the module that xld loads takes these, as they are the
// program's.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "base/scope_exit.hpp"
#include "hypervisor-iface/xen/headers.hpp"
#include "hypervisor-iface/xen_loader.hpp"
#include "libdomainbuilder/build.hpp"

namespace {

struct Fault {
  std::string function;
  int errno_value = 0;
};
Fault fault;
std::uint32_t hidden_capabilities;  // of xc_physinfo
bool domain_0_is_pvh;

bool fails_now(const char* function) {
  if (fault.function != function) {
    return false;
  }
  errno = fault.errno_value;
  return true;
}

template <typename Function>
Function* next(const char* name) {
  // SAFETY: the same name in libxenctrl or libxenguest is of the same type.
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

#define XL_EXPORT extern "C" __attribute__((visibility("default")))
// A function that returns an int, with a fault of its own.
#define XL_WRAP(name, parameters, arguments)                              \
  XL_EXPORT int name parameters {                                         \
    return fails_now(#name) ? -1 : next<int parameters>(#name) arguments; \
  }

XL_WRAP(xc_domain_create, (xc_interface * xc, std::uint32_t* id, xen_domctl_createdomain* how),
        (xc, id, how))
XL_WRAP(xc_domain_max_vcpus, (xc_interface * xc, std::uint32_t id, unsigned most), (xc, id, most))
XL_WRAP(xc_domain_setmaxmem, (xc_interface * xc, std::uint32_t id, std::uint64_t kib),
        (xc, id, kib))
XL_WRAP(xc_set_paging_mempool_size, (xc_interface * xc, std::uint32_t id, std::uint64_t bytes),
        (xc, id, bytes))
XL_WRAP(xc_domain_claim_pages, (xc_interface * xc, std::uint32_t id, unsigned long pages),
        (xc, id, pages))
XL_WRAP(xc_domain_hvm_setcontext,
        (xc_interface * xc, std::uint32_t id, std::uint8_t* stream, std::uint32_t size),
        (xc, id, stream, size))
XL_WRAP(xc_domain_set_memory_map,
        (xc_interface * xc, std::uint32_t id, e820entry* rows, std::uint32_t count),
        (xc, id, rows, count))
XL_WRAP(xc_evtchn_alloc_unbound, (xc_interface * xc, std::uint32_t id, std::uint32_t remote),
        (xc, id, remote))
XL_WRAP(xc_domain_populate_physmap,
        (xc_interface * xc, std::uint32_t id, unsigned long count, unsigned order, unsigned flags,
         xen_pfn_t* frames),
        (xc, id, count, order, flags, frames))
XL_WRAP(xc_domain_set_target, (xc_interface * xc, std::uint32_t id, std::uint32_t target),
        (xc, id, target))
XL_EXPORT xen_pfn_t* xc_map_m2p(xc_interface* xc, unsigned long end, int protection,
                                unsigned long* first) {
  return fails_now("xc_map_m2p")
             ? nullptr
             : next<xen_pfn_t*(xc_interface*, unsigned long, int, unsigned long*)>("xc_map_m2p")(
                   xc, end, protection, first);
}
XL_EXPORT int xc_domain_getinfolist(xc_interface* xc, std::uint32_t first, unsigned most,
                                    xc_domaininfo_t* all) {
  const int found = next<int(xc_interface*, std::uint32_t, unsigned, xc_domaininfo_t*)>(
      "xc_domain_getinfolist")(xc, first, most, all);
  if (first == 0 && domain_0_is_pvh) {
    all->flags |= XEN_DOMINF_hvm_guest;
  }
  return found;
}
XL_EXPORT int xc_physinfo(xc_interface* xc, xc_physinfo_t* info) {
  if (fails_now("xc_physinfo")) {
    return -1;
  }
  const int result = next<int(xc_interface*, xc_physinfo_t*)>("xc_physinfo")(xc, info);
  info->capabilities &= ~hidden_capabilities;
  return result;
}

namespace xl::hv {
namespace {

class XenFailures : public testing::Test {
 protected:
  void TearDown() override {
    fault = {};
    hidden_capabilities = 0;
    domain_0_is_pvh = false;
  }
  // Makes a whole domain, as the toolstack does.
  Result<void> make(const Fault& wanted) {
    XL_TRY_ASSIGN(const std::unique_ptr<Hypervisor> hypervisor, open_xen());
    build::ImageCache cache(mib(16));
    build::BuildRequest request;
    request.kernel = XL_TEST_GUESTS "/idle.elf";
    request.memory = request.max_memory = mib(16);
    XL_TRY_ASSIGN(const build::Prepared prepared, build::prepare(request, cache));
    DomainOptions options;
    options.max_memory = prepared.pages_needed();
    fault = wanted;
    const ScopeExit repair([] { fault = {}; });
    XL_TRY_ASSIGN(const DomId domain, hypervisor->create_domain(options));
    const ScopeExit end([&] { EXPECT_TRUE(hypervisor->destroy_domain(domain)); });
    XL_TRY(build::execute(*hypervisor, domain, prepared));
    return {};
  }
  void expect_nothing_is_left() {
    const auto hypervisor = open_xen();
    ASSERT_TRUE(hypervisor);
    const auto domains = (*hypervisor)->list_domains();
    ASSERT_TRUE(domains);
    EXPECT_TRUE(std::all_of(domains->begin(), domains->end(),
                            [](const DomainInfo& info) { return info.dying; }));
  }
};

TEST_F(XenFailures, EachStepOfACreateFailsWithItsCause) {
  const struct {
    Fault fault;
    ErrorCode code;
    const char* words;
  } cases[] = {
      {{"xc_domain_create", ENOMEM}, ErrorCode::no_memory, "creating a domain with 1 vcpus"},
      {{"xc_domain_create", EINVAL}, ErrorCode::invalid_argument, "creating a domain"},
      {{"xc_domain_create", EPERM}, ErrorCode::permission_denied, "Operation not permitted"},
      {{"xc_domain_create", ENOSPC}, ErrorCode::limit, "No space left"},
      {{"xc_domain_max_vcpus", ENOMEM}, ErrorCode::no_memory, "1 vcpus"},
      {{"xc_domain_setmaxmem", EINVAL}, ErrorCode::invalid_argument, "setting the maximum"},
      {{"xc_set_paging_mempool_size", ENOMEM}, ErrorCode::no_memory, "page tables"},
      {{"xc_domain_claim_pages", ENOMEM}, ErrorCode::no_memory, "16 MiB"},
      {{"xc_domain_populate_physmap", EBUSY}, ErrorCode::busy, "frames [0, +"},
      {{"xc_evtchn_alloc_unbound", ENOSPC}, ErrorCode::limit, "event channel"},
      {{"xc_domain_set_memory_map", EFAULT}, ErrorCode::invalid_argument, "memory map"},
      {{"xc_domain_hvm_setcontext", EINVAL}, ErrorCode::invalid_argument, "state of vcpu 0"},
  };
  for (const auto& each : cases) {
    const Result<void> made = make(each.fault);
    ASSERT_FALSE(made) << each.fault.function;
    EXPECT_EQ(made.error().code, each.code) << each.fault.function;
    EXPECT_NE(describe(made.error()).find(each.words), std::string::npos)
        << each.fault.function << ": " << describe(made.error());
    expect_nothing_is_left();
  }
}

TEST_F(XenFailures, AnotherVersionOfXenIsNamed) {
  fault = {"xc_physinfo", EACCES};
  const auto opened = open_xen();
  ASSERT_FALSE(opened);
  EXPECT_EQ(id_of(opened.error()), ErrorId::xen_version_mismatch);
  EXPECT_NE(opened.error().message.find("Xen 4.17 runs here"), std::string::npos)
      << opened.error().message;
  EXPECT_FALSE(opened.error().hint.empty());
}

TEST_F(XenFailures, AMachineWithoutNestedPagingIsNamed) {
  hidden_capabilities = XEN_SYSCTL_PHYSCAP_hap;
  const Result<void> made = make({});
  ASSERT_FALSE(made);
  EXPECT_EQ(id_of(made.error()), ErrorId::xen_not_usable);
  EXPECT_NE(made.error().message.find("hardware-assisted paging"), std::string::npos);
}

TEST_F(XenFailures, WhatIsThereOfMemoryOnDemandCannotBeToldEverywhere) {
  const auto opened = open_xen();
  ASSERT_TRUE(opened);
  Hypervisor& hypervisor = **opened;
  const auto domain = hypervisor.create_domain({.max_memory = Pages(8192)});
  ASSERT_TRUE(domain);
  const Extent ram{Gfn(0), Pages(4096)};
  ASSERT_TRUE(hypervisor.populate_on_demand(*domain, std::span(&ram, 1), Pages(512)));
  ASSERT_TRUE(hypervisor.map_frames(*domain, {Gfn(0), Pages(512)}));
  const auto expect_refused = [&](ErrorCode code, const char* words) {
    const auto found = hypervisor.populated_extents(*domain);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, code);
    EXPECT_NE(describe(found.error()).find(words), std::string::npos) << describe(found.error());
    EXPECT_EQ(hypervisor.list_domains()->size(), 1U);
  };
  domain_0_is_pvh = true;
  expect_refused(ErrorCode::not_supported, "only a PV domain 0 sees");
  EXPECT_EQ(hypervisor.map_frames(*domain, {Gfn(0), Pages(512)}).error().code,
            ErrorCode::no_memory);
  domain_0_is_pvh = false;
  fault = {"xc_domain_create", EOPNOTSUPP};
  expect_refused(ErrorCode::not_supported, "that stands in for");
  fault = {"xc_domain_set_target", EPERM};
  expect_refused(ErrorCode::permission_denied, "stand in for");
  fault = {"xc_map_m2p", ENOMEM};
  expect_refused(ErrorCode::no_memory, "which frames are whose");
  fault = {};
  EXPECT_TRUE(hypervisor.map_frames(*domain, {Gfn(0), Pages(512)}));
  EXPECT_TRUE(hypervisor.populated_extents(*domain));
  EXPECT_FALSE(hypervisor.domain_info(*domain)->shutdown);
  EXPECT_TRUE(hypervisor.destroy_domain(*domain));
}

// A domain that stands in for another, as a process with this id leaves it.
std::uint32_t leave_stand_in(xc_interface* xc, pid_t maker) {
  xen_domctl_createdomain how{};
  std::memcpy(how.handle, "xl++ standin", 12);
  std::memcpy(how.handle + 12, &maker, sizeof maker);
  how.max_vcpus = how.max_grant_frames = how.max_maptrack_frames = 1;
  how.grant_opts = XEN_DOMCTL_GRANT_version(1);
  std::uint32_t id = 0;
  EXPECT_EQ(xc_domain_create(xc, &id, &how), 0);
  return id;
}

TEST_F(XenFailures, WhatAKilledProcessLeftIsRemoved) {
  const pid_t dead = ::fork();
  if (dead == 0) {
    ::_exit(0);
  }
  ::waitpid(dead, nullptr, 0);
  const std::unique_ptr<xc_interface, int (*)(xc_interface*)> xc(
      xc_interface_open(nullptr, nullptr, 0), xc_interface_close);
  ASSERT_TRUE(xc);
  const std::uint32_t left = leave_stand_in(xc.get(), dead);
  const std::uint32_t in_use = leave_stand_in(xc.get(), ::getpid());
  expect_nothing_is_left();  // no list shows them
  const auto is_there = [&](std::uint32_t id) {
    xc_domaininfo_t info{};
    return xc_domain_getinfolist(xc.get(), id, 1, &info) == 1 && info.domain == id;
  };
  EXPECT_FALSE(is_there(left));
  EXPECT_TRUE(is_there(in_use));
  EXPECT_EQ(xc_domain_destroy(xc.get(), in_use), 0);
}

TEST_F(XenFailures, AModuleOfAnotherBuildIsRefused) {
  const auto opened = open_xen("/lib/x86_64-linux-gnu/libxencall.so.1");  // some library
  ASSERT_FALSE(opened);
  EXPECT_EQ(id_of(opened.error()), ErrorId::xen_module_missing);
  EXPECT_NE(opened.error().message.find("no module of xl++"), std::string::npos);
}

TEST_F(XenFailures, WithoutAFaultItIsMade) {
  const Result<void> made = make({});
  EXPECT_TRUE(made) << describe(made.error());
  expect_nothing_is_left();
}

}  // namespace
}  // namespace xl::hv
