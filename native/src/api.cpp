// The flat C interface: arguments checked, exceptions turned into a status and a sentence.
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "aifabrik.h"
#include "exec/model.h"
#include "memory/pages.h"
#include "team/cpus.h"

using namespace aifabrik;

struct af_model {
    Model model;
    af_model(const af_program& program, const af_limits& limits, const af_options& options) : model(program, limits, options) {}
};

namespace {

thread_local char last_error[512] = "";

int32_t fail(int32_t status, const char* message) {
    std::strncpy(last_error, message, sizeof last_error - 1);
    return status;
}

}  // namespace

int32_t af_abi_version(void) { return AF_ABI_VERSION; }
const char* af_last_error(void) { return last_error; }
const char* af_isa_name(void) { return chosen_isa().matmul->name; }
int32_t af_default_threads(void) { return static_cast<int32_t>(usable_cores().size()); }

int32_t af_model_create(const af_program* program, const af_limits* limits, const af_options* options, af_model** model) {
    if (!program || !limits || !options || !model) return fail(AF_INVALID_ARGUMENT, "A pointer is null.");
    *model = nullptr;
    try {
        *model = new af_model(*program, *limits, *options);
        return AF_OK;
    } catch (const BuildError& e) {
        return fail(e.status, e.what());
    } catch (const std::bad_alloc&) {
        return fail(AF_OUT_OF_MEMORY, "There is not enough memory for the model.");
    } catch (const std::exception& e) {
        return fail(AF_INVALID_PROGRAM, e.what());
    }
}

void af_model_destroy(af_model* model) { delete model; }
void af_model_describe(const af_model* model, af_model_info* info) { model->model.describe(*info); }

int32_t af_model_step(af_model* model, const af_batch* batch) {
    if (!model || !batch) return fail(AF_INVALID_ARGUMENT, "A pointer is null.");
    if (!model->model.check(*batch)) return fail(AF_INVALID_BATCH, "The batch does not fit the limits or the cache.");
    model->model.step(*batch);
    return AF_OK;
}

const int32_t* af_model_best(const af_model* model) { return model->model.best(); }
float* af_model_logits(af_model* model) { return model->model.logits(); }

int32_t af_model_clear_blocks(af_model* model, int32_t group, const int32_t* blocks, int32_t count) {
    if (!model || (count > 0 && !blocks)) return fail(AF_INVALID_ARGUMENT, "A pointer is null.");
    return model->model.clear_blocks(group, blocks, count) ? AF_OK : fail(AF_INVALID_ARGUMENT, "A block or its group does not exist.");
}

void af_model_clear_activations(af_model* model) { model->model.clear_activations(); }
void af_model_profile(const af_model* model, double* seconds) { std::memcpy(seconds, model->model.profile(), sizeof(double) * 16); }

void* af_pages_allocate(int64_t bytes, int32_t* refused) {
    PageRefusals refusals;
    void* pages = bytes > 0 ? allocate_content(static_cast<size_t>(bytes), &refusals) : nullptr;
    if (refused) *refused = refusals.bits;
    return pages;
}

void af_pages_free(void* pages, int64_t bytes) { free_content(pages, static_cast<size_t>(bytes)); }
void af_pages_zero(void* memory, int64_t bytes) { zero_content(memory, static_cast<size_t>(bytes)); }
