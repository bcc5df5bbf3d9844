/* clonewire-target - receives a disk from a clonewire-source. */
#include <stdio.h>

#include "clonewire-target/options.h"
#include "clonewire-target/pairing_offer.h"
#include "output/report.h"
#include "program/confirm_overwrite.h"
#include "program/program.h"
#include "program/prompt.h"

static int plan(struct program *process, const struct target_config *config)
{
    struct cw_error error = { 0 };
    struct cw_plan answer;

    if (config->source_bytes == 0)
        return program_misused(process, "--plan needs --source-size "
                                        "(CLONEWIRE_SOURCE_SIZE)");
    if (cw_target_plan(&config->options, config->source_bytes, &answer,
                       &error) == 0) {
        report_plan(&answer, NULL, config->json, stdout);
        return 0;
    }
    if (answer.space.need_bytes != 0)
        report_plan(&answer, &error, config->json, stdout);
    return program_fail(process, &error);
}

static int print_digest(struct program *process,
                        const struct target_config *config)
{
    struct cw_error error = { 0 };
    char text[CW_DIGEST_CHARS];

    if (cw_target_digest(&config->options, config->digest, text, &error) < 0)
        return program_fail(process, &error);
    printf("%s\n", text);
    return 0;
}

static int check_receipt(struct program *process, struct target_config *config)
{
    struct cw_receipt receipt;
    struct cw_error error;

    if (cw_target_check_receipt(&config->options, config->check_receipt,
                                report_difference, &config->json, &receipt,
                                &error) < 0)
        return program_fail(process, &error);
    report_receipt(&receipt, config->options.destination, config->json, stdout);
    return 0;
}

/* Runs a query instead of a clone.  PROGRAM_GO_ON: none was requested. */
static int answer(struct program *process, struct target_config *config)
{
    if (config->doctor)
        return report_doctor(config->options.destination, config->json, stdout);
    if (!config->options.destination)
        return program_misused(process, "DEST (CLONEWIRE_DEST) is missing, "
                                        "try --help");
    if (config->plan)
        return plan(process, config);
    if (config->digest_only)
        return print_digest(process, config);
    if (config->check_receipt)
        return check_receipt(process, config);
    return PROGRAM_GO_ON;
}

static int receive(struct program *process, struct target_config *config)
{
    struct cw_target_options *options = &config->options;
    struct cw_error error = { 0 };
    struct cw_job *job;
    struct error err;

    options->only_resume = !config->yes && (!prompt_is_possible() ||
                                            cw_target_is_begun(options));
    job = cw_target_open(options, &error);
    if (!job || confirm_overwrite_get(process, options, config->yes, &err) == 0)
        return program_run(process, job, &error);
    cw_close(job);
    return program_refused(process, &err);
}

static int run_clone(struct program *process, struct target_config *config)
{
    const struct cw_security *security = &config->options.security;
    struct pairing_offer offer = { 0 };
    struct cw_error error = { 0 };
    int status;

    if (security->http && !security->cert_file)
        return program_misused(process, "--http (CLONEWIRE_HTTP) needs --cert, "
                                        "--key and --ca: by HTTP there is no "
                                        "other identity");
    program_get_events(process, &config->options.events);
    if (pairing_offer_make(&offer, process, config, &error) < 0)
        return program_fail(process, &error);
    status = receive(process, config);
    pairing_offer_wipe(&offer);
    return status;
}

int main(int argc, char **argv)
{
    struct target_config config = { 0 };
    struct program process;
    int status;

    (void)argc;
    status = program_open(&process, "target", &target_program, argv, &config,
                          &config.output);
    if (status != PROGRAM_GO_ON)
        return status;
    options_settle(&config);
    status = answer(&process, &config);
    if (status == PROGRAM_GO_ON)
        status = run_clone(&process, &config);
    return program_close(&process, status);
}
