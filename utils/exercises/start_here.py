"""The exercise of notebook 00."""

from utils.exercises.core import ValueExercise, WrongAnswer

steps_per_epoch = ValueExercise(
    "steps_per_epoch",
    hints=(
        "One step uses one batch, and one epoch uses every sample once.",
        "How many batches of 50 do you need until 500 samples are used up?",
    ),
    solution="steps_per_epoch = 500 // 50",
    insight="Ten batches of 50 use all 500 samples once. Thirty epochs would be 300 steps.",
    wrong_answers=[
        WrongAnswer(
            "steps_per_epoch = 500",
            "500 is the number of samples: it would be right if each step saw one sample only.",
            says="number of samples",
        ),
        WrongAnswer(
            "steps_per_epoch = 50",
            "50 is the batch size: how many samples one step sees, not how many steps there are.",
            says="batch size",
        ),
        WrongAnswer(
            "steps_per_epoch = 1",
            "One step for all samples would be full-batch training; here a batch holds 50.",
            says="full-batch",
        ),
        WrongAnswer(
            "steps_per_epoch = 11",
            "One too many: ten batches of 50 are 500 samples, and nothing is left for another.",
            says="One too many",
        ),
        WrongAnswer(
            "steps_per_epoch = 9",
            "One too few: nine batches use 450 samples. The last batch is a step like the others.",
            says="One too few",
        ),
        WrongAnswer(
            "steps_per_epoch = 50 / 500",
            "The other way round: how many batches of 50 fit into 500 samples?",
            says="other way round",
        ),
        WrongAnswer(
            "steps_per_epoch = 500 * 50",
            "Larger batches mean fewer steps: divide by the batch size, do not multiply.",
            says="fewer steps",
        ),
    ],
)
